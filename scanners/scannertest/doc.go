// Package scannertest is the suite that every scanner of a provider with an API must pass.
//
// A provider's test gives a Subject: how to start a server with faults laid over it, and a scanner before that server.
// Run then holds the scanner to the contract of package scanners:
//
//   - only needed operations are sent, and everything that is needed is used;
//   - every planned unit ends with an outcome that its books bear out, and the ledger balances;
//   - what goes wrong is a gap with its operation, permission and reason; nothing else changes: a scanner that was
//     refused, cut short or lied to knows less than before, never otherwise;
//   - the same world gives the same bytes, whatever the page size, the throttles and the order of answers;
//   - each throttle costs one request more, and none is sent earlier than allowed;
//   - cancelled, it returns promptly and leaves no goroutine behind;
//   - no secret and no answer's body reaches a unit, a log or a watcher.
//
// Only tests import this package. No provider may enter: what is particular to one belongs into its Subject.
package scannertest
