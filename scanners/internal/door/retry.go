package door

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxWait is the longest server-given wait that is honoured; what asks for more has failed for today.
const MaxWait = 15 * time.Minute

// A Policy bounds the tries of one call. Zero values are the defaults.
type Policy struct {
	Throttled int           // tries that may be throttled, the first one included (default 12)
	Transient int           // tries that may fail or time out (default 5)
	Base      time.Duration // the first wait of our own (default 500 ms); it doubles
	Cap       time.Duration // the longest wait of our own (default 20 s)
}

// A Try is a failed try.
type Try struct {
	Class  Class
	N      int           // the how-manyth failure of this class it is, from 1
	Wait   time.Duration // what the server asked for
	Left   time.Duration // until the caller's deadline; NoDeadline without one
	Jitter float64       // random, in [0, 1)
}

// NoDeadline is a Try's Left where there is none.
const NoDeadline time.Duration = math.MaxInt64

// Next decides whether to try again, and after how long. The wait is the server's where that is longer than our own,
// to the nanosecond; our own is exponential with jitter of 0–20 % upward. A wait that wouldn't end before the deadline isn't
// begun. What is denied, absent or not understood is never tried again.
func (p Policy) Next(t Try) (wait time.Duration, again bool) {
	var tries int
	switch t.Class {
	case Throttled:
		tries = cmp.Or(p.Throttled, 12)
	case Transient, TimedOut:
		tries = cmp.Or(p.Transient, 5)
	}
	if t.N >= tries {
		return 0, false
	}
	most := float64(cmp.Or(p.Cap, 20*time.Second))
	own := min(float64(cmp.Or(p.Base, 500*time.Millisecond))*math.Exp2(float64(t.N-1)), most/1.2)
	wait = max(time.Duration(own*(1+0.2*t.Jitter)), min(t.Wait, MaxWait))
	return wait, wait < t.Left
}

// Do calls fn until it succeeds or p gives up, each time through the lane, and returns fn's last error. fn classifies its
// own failures by returning a [Failure]; it gets ctx with the number of the try for Guard's journal.
func Do(ctx context.Context, p Policy, lane *Lane, fn func(context.Context) error) error {
	var last error
	failures := map[Class]int{}
	for n := 1; ; n++ {
		leave, err := lane.Enter(ctx)
		if err != nil {
			return waiting(err, last)
		}
		last = try(WithAttempt(ctx, n), leave, fn)
		class := ClassOf(last)
		if class == "" {
			return nil
		}
		failures[class]++
		t := Try{Class: class, N: failures[class], Wait: waitOf(last), Left: NoDeadline, Jitter: rand.Float64()}
		if d, ok := ctx.Deadline(); ok {
			t.Left = time.Until(d)
		}
		wait, again := p.Next(t)
		if !again {
			return last
		}
		if err := sleep(ctx, wait); err != nil {
			return waiting(err, last)
		}
	}
}

func try(ctx context.Context, leave func(Class, time.Duration), fn func(context.Context) error) error {
	defer leave(Other, 0) // if fn panics, its place is still free for others
	err := fn(ctx)
	leave(ClassOf(err), waitOf(err))
	return err
}

// waiting is the error of a wait that ended with the context: with it, what was waited for.
func waiting(ended, last error) error {
	if last == nil {
		return ended
	}
	return fmt.Errorf("trying again: %w, after: %w", ended, last)
}

func waitOf(err error) time.Duration {
	if f := (*Failure)(nil); errors.As(err, &f) {
		return f.Wait
	}
	return 0
}

// Wait reads how long an answer asks us to stay away: the longest of its Retry-After headers (seconds, or a date,
// which is measured against the answer's own Date so that neither clock need be right; now stands in where there
// is none) and X-Amz-Retry-After headers (milliseconds). It lies in [0, MaxWait]; what can't be read asks for nothing.
func Wait(h http.Header, now time.Time) time.Duration {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	var longest time.Duration
	for _, v := range h.Values("Retry-After") {
		wait := amount(v, time.Second)
		if at, err := http.ParseTime(strings.TrimSpace(v)); err == nil {
			wait = at.Sub(now)
		}
		longest = max(longest, wait)
	}
	for _, v := range h.Values("X-Amz-Retry-After") {
		longest = max(longest, amount(v, time.Millisecond))
	}
	return min(longest, MaxWait)
}

// amount reads a number of units, rounded up, as at most MaxWait; of several with commas between them, the largest.
func amount(s string, unit time.Duration) (longest time.Duration) {
	for v := range strings.SplitSeq(s, ",") {
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		f *= float64(unit)
		switch {
		case f >= float64(MaxWait): // also when out of range: infinite is long
			longest = MaxWait
		case err == nil && f > 0:
			longest = max(longest, time.Duration(math.Ceil(f)))
		}
	}
	return longest
}
