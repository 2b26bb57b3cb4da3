package inventory

// ReadID is an index into Unit.Reads. 0 is reserved: the answer did not hold the value (see NotInAnswer).
type ReadID uint16

// Read is one kind of call that a unit made, and how it ended. Equal calls share one Read.
type Read struct {
	// Operation is the provider's own name, with its service: "rds:DescribeDBInstances", "roster:people".
	Operation string `json:"operation"`
	// Permission is what the caller must be granted, in the provider's words; empty when nothing is needed.
	Permission string `json:"permission,omitempty"`
	// Reason is empty when the call was answered whole.
	Reason Reason `json:"reason,omitempty"`
	// Where names the unit whose read this is when it is not the holder's own: a conclusion carries the reason of the
	// unit that its edge led into.
	Where string `json:"where,omitempty"`
	// Detail is the provider's error code or another short, redacted hint. It never holds an answer's body.
	Detail string `json:"detail,omitempty"`
}

// NotInAnswer is what ReadID 0 stands for.
var NotInAnswer = Read{Reason: DecodeError, Detail: "the answer did not hold this value"}

// Reason says why a value, a list or a unit is unknown. The list is closed.
type Reason string

// The reasons. A scanner classifies by the body's code first and the status second.
const (
	AccessDenied      Reason = "access_denied"       // the provider refused the caller
	MissingScope      Reason = "missing_scope"       // the token lacks a scope
	Throttled         Reason = "throttled"           // refused for its rate until the budget was spent
	PartialList       Reason = "partial_list"        // the list was cut short
	Disabled          Reason = "disabled"            // the API or the region is off
	NotInPlan         Reason = "not_in_plan"         // the contract does not include it
	NotConnected      Reason = "not_connected"       // a system that the regulation names has no credential here
	NotConfigured     Reason = "not_configured"      // the company declared nothing to compare with
	AmbiguousNotFound Reason = "ambiguous_not_found" // "not found" that may mean "not permitted"
	Timeout           Reason = "timeout"             // no answer in time, or the connection broke
	Cancelled         Reason = "cancelled"           // the run was stopped
	TooLarge          Reason = "too_large"           // the answer passed the size cap
	DecodeError       Reason = "decode_error"        // the answer could not be understood
	Stale             Reason = "stale"               // the source is older than it may be
	Unmatched         Reason = "unmatched"           // more than one candidate, or none that proves anything
	RuleError         Reason = "rule_error"          // the rule itself failed
	CostLimit         Reason = "cost_limit"          // the rule was stopped
)

// Reasons lists every reason.
func Reasons() []Reason {
	return []Reason{AccessDenied, MissingScope, Throttled, PartialList, Disabled, NotInPlan, NotConnected, NotConfigured,
		AmbiguousNotFound, Timeout, Cancelled, TooLarge, DecodeError, Stale, Unmatched, RuleError, CostLimit}
}
