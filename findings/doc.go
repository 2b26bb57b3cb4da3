// Package findings is what tenken tells: verdicts with their evidence, the coverage that they rest on, and what a report
// says about rules, clauses and risks. It is plain data, filled by package rules and read by every sink; nothing here
// judges, stores or prints.
//
// A document is one run judged once. It is a pure function of facts, rules, policy and judging date: the same state
// gives the same bytes.
package findings
