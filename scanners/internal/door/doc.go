// Package door is the one way to the network. Every client of every scanner, credential clients included, sends
// through it, and it has three parts that are used together or apart:
//
//   - [Guard], the innermost [net/http.RoundTripper]: what isn't on the list of needed operations isn't sent, to no
//     other host, and what comes back is bounded, timed, journalled and free of our own secrets.
//   - [Lane], the pace of one quota owner, shared by all workers. Waiting in it counts against no request's timeout,
//     so it is entered first: lane, then (signature and) Guard, whose timeout starts when the request is sent.
//   - [Policy], the decision to try again, as pure code; [Do] is the loop around it for SDKs that have none of their
//     own. An SDK that signs inside its loop keeps its loop and asks Lane and Policy from there.
//
// Nothing here knows a provider: which operation a request is, and which of the provider's error codes means what,
// is told by the provider (GuardConfig.Identify, [Failure]). Nothing of ours and no SDK may be imported, and
// nothing here judges or stores. A failure always surfaces as an error with a [Class]; no path turns a missing
// answer into an empty one.
package door
