package door

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// An answer is the body of a response: bounded, timed and journalled at its end.
type answer struct {
	guard  *Guard
	ctx    context.Context
	cancel context.CancelFunc
	body   io.ReadCloser
	start  time.Time
	left   int64 // used by Read only, as is err
	err    error
	read   atomic.Int64
	call   Call
	once   sync.Once
}

func (a *answer) Read(p []byte) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	if int64(len(p)) > a.left+1 {
		p = p[:a.left+1] // one more than allowed tells too large from just fitting
	}
	n, err := a.body.Read(p)
	if int64(n) > a.left {
		n, err = int(a.left), ErrTooLarge
	}
	a.left -= int64(n)
	a.read.Add(int64(n))
	switch err {
	case nil:
	case io.EOF: // itself: an error that only wraps it is a cut, not an end
		a.err = io.EOF
		a.end(StatusClass(a.call.Status))
	default:
		a.err = a.fail(err)
	}
	return n, a.err
}

func (a *answer) Close() error {
	defer a.end(StatusClass(a.call.Status))
	return a.body.Close()
}

// fail ends the answer with an error of the transport, or with the reason why the context ended if it has.
func (a *answer) fail(err error) error {
	err = because(a.ctx, err)
	return a.failAs(transportClass(err), err)
}

func (a *answer) failAs(class Class, err error) error {
	a.end(class)
	if r := (*Refused)(nil); errors.As(err, &r) {
		return &Refused{Op: a.call.Op, Host: a.call.Host, Why: r.Why}
	}
	return &Failure{Class: class, Err: a.guard.c.Redactor.Error(err)}
}

func (a *answer) end(class Class) {
	a.once.Do(func() {
		a.cancel()
		a.call.Bytes, a.call.Duration, a.call.Class = a.read.Load(), time.Since(a.start), class
		if a.guard.c.Journal != nil {
			a.guard.c.Journal(a.call)
		}
	})
}
