package door

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// A Class says what kind of failure an error is; the zero Class is no failure. Only Throttled, Transient and
// TimedOut are ever tried again.
type Class string

// The classes.
const (
	Throttled Class = "throttled" // the server wants us to slow down
	Transient Class = "transient" // the server or the network failed; the same request may succeed later
	TimedOut  Class = "timed_out" // no whole answer within the request's own timeout or the caller's deadline
	Denied    Class = "denied"    // authenticated or not: we may not read this
	NotFound  Class = "not_found" // absent, or hidden: only the provider's table can tell
	Cancelled Class = "cancelled" // the caller gave up
	Blocked   Class = "blocked"   // refused by Guard; nothing was sent
	TooLarge  Class = "too_large" // the answer passed the size cap
	Other     Class = "other"     // everything else
)

// A Failure is an error whose class is known. A provider makes one where it reads the error code in an answer's
// body; Guard makes one for everything that goes wrong below that.
type Failure struct {
	Class Class
	Wait  time.Duration // how long the server asks us to stay away; see Wait
	Err   error
}

func (f *Failure) Error() string { return f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// Refused is the error of a request that Guard did not send.
type Refused struct {
	Op   string // empty if the refusal came before the operation was known
	Host string
	Why  string
}

func (r *Refused) Error() string {
	op := r.Op
	if op == "" {
		op = "request"
	}
	return fmt.Sprintf("%s to %s was not sent: %s", op, r.Host, r.Why)
}

// ErrTooLarge is returned by Read on an answer's body that passes the cap.
var ErrTooLarge = errors.New("the answer is larger than the limit")

// TimeoutError says that a single request had no whole answer within its own timeout, as opposed to the caller's
// deadline (a bare [context.DeadlineExceeded]) and the caller's cancellation ([context.Canceled]).
type TimeoutError struct{ After time.Duration }

func (e *TimeoutError) Error() string { return fmt.Sprintf("no whole answer within %s", e.After) }
func (e *TimeoutError) Unwrap() error { return context.DeadlineExceeded }

// Timeout implements net.Error.
func (e *TimeoutError) Timeout() bool { return true }

// WithTimeout bounds one request. When d passes, the cause of the context is a [TimeoutError]; if the parent ends
// first, it is the parent's.
func WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, &TimeoutError{After: d})
}

// because gives the reason why ctx ended instead of err, if it has ended: what fails after that, fails of that.
func because(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	switch {
	case cause == nil:
		return err
	case errors.Is(cause, ctx.Err()):
		return cause
	}
	return fmt.Errorf("%w: %w", ctx.Err(), cause)
}

// ClassOf is the class of an error that came through the door. A cancellation outranks what was being waited for,
// a Failure outranks a deadline: a unit that ends its time being throttled is throttled, not slow.
func ClassOf(err error) Class {
	var f *Failure
	var r *Refused
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.Canceled):
		return Cancelled
	case errors.As(err, &r):
		return Blocked
	case errors.As(err, &f):
		return f.Class
	case errors.Is(err, ErrTooLarge):
		return TooLarge
	case errors.Is(err, context.DeadlineExceeded):
		return TimedOut
	}
	return Other
}

// transportClass is the class of an error of the transport itself. A certificate that doesn't verify won't verify
// a second later; everything else between us and a whole answer may.
func transportClass(err error) Class {
	var cert *tls.CertificateVerificationError
	if class := ClassOf(err); class != Other {
		return class
	}
	if errors.As(err, &cert) {
		return Other
	}
	return Transient
}

// StatusClass is the second choice, for answers in whose body the provider's table found no code: providers also
// throttle with 400 and 403, and answer 200 to what they deny.
func StatusClass(status int) Class {
	switch {
	case status < http.StatusBadRequest:
		return ""
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return Throttled
	case status >= http.StatusInternalServerError:
		return Transient
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Denied
	case status == http.StatusNotFound:
		return NotFound
	}
	return Other
}
