// Package rules turns facts into verdicts: Load reads the catalogue and refuses what could lie, Judge applies it to an
// inventory, a policy and a date.
//
// A rule is data (catalog/*.yaml, design §5): adding one touches no Go. Its conditions are CEL in a closed environment in
// which every operator that is admitted is three-valued: what could not be read stays unknown, through every expression,
// until it meets a witness that decides without it. Lists are our own (list.go), with the unread tail beside the elements
// in hand; has(), size(), indexing, equality of lists and all else that would answer without looking is refused when a
// rule is loaded, with file and line.
//
// A scope is unknown for a rule where a listing of one of the rule's kinds is not whole, not wherever the unit that holds
// it is not complete. A unit lists several kinds and reads details of what it listed: one that was refused a detail is
// partial, but no subject is missing, and what the detail would have told is unknown on each subject that it concerns. To
// call the whole account unknown beside them would hide a pass that is proven, count one gap twice, and ask for a permission
// that the rule does not need.
//
// A clause is rolled up from the counts of its rules (rollup.go): it is pass only where every rule of it exists and was
// judged, and else partly; a clause about certain systems counts what their scanners read and no others.
//
// Both functions are pure. Nothing here calls a network, reads a clock, knows a provider or stores anything; names of
// providers appear in data alone: the catalogue's, and the words of messages (words.yaml). A new kind is read by rules once `go generate ./findings/inventory`
// wrote its fields (fields_gen.go).
package rules
