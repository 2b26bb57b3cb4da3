// Package scanners is the contract between tenken and the systems that it reads, and the runner that drives every
// system alike.
//
// A scanner gathers. It reads one system through the provider's own SDK, through the door (scanners/internal/door), and
// turns answers into facts of package inventory; it has no opinion, joins nothing and writes nothing anywhere. The runner
// plans, spreads the work fairly over systems, stops what takes too long and keeps the books.
//
// Nothing here knows a provider, a rule or a verdict.
package scanners
