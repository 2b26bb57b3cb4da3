// Package policy is the regulation as data: its clauses, the assets of its risk table, the systems that it names, the
// numbers that it leaves open, and the contradictions to put before the security officer.
//
// The data is YAML beside this file, embedded in the program, in Japanese and English for the auditor who reads it.
// Clause numbers and titles are cited; the regulation's prose may not enter. Rules may not enter either: they are data of
// package catalog and are only named here. Nothing here judges, reads an inventory or knows a provider.
package policy
