// Package rules turns facts into verdicts: Load reads the catalogue and refuses what could lie, Judge applies it to an
// inventory, a policy and a date.
//
// A rule is data (catalog/*.yaml, design §5): adding one touches no Go. Its conditions are CEL in a closed environment in
// which every operator that is admitted is three-valued: what could not be read stays unknown, through every expression,
// until it meets a witness that decides without it. Lists are our own (list.go), with the unread tail beside the elements
// in hand; has(), size(), indexing, equality of lists and all else that would answer without looking is refused when a
// rule is loaded, with file and line.
//
// Both functions are pure. Nothing here calls a network, reads a clock, knows a provider or stores anything; names of
// providers appear in the catalogue's data alone. A new kind is read by rules once `go generate ./findings/inventory`
// wrote its fields (fields_gen.go).
package rules
