package door

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestNext(t *testing.T) {
	const sec = time.Second
	for _, c := range []struct {
		name  string
		p     Policy
		t     Try
		wait  time.Duration
		again bool
	}{
		{"first throttle", Policy{}, Try{Class: Throttled, N: 1, Left: NoDeadline}, sec / 2, true},
		{"doubles", Policy{}, Try{Class: Throttled, N: 4, Left: NoDeadline}, 4 * sec, true},
		{"eleventh throttle", Policy{}, Try{Class: Throttled, N: 11, Jitter: 1, Left: NoDeadline}, 20 * sec, true},
		{"twelfth throttle", Policy{}, Try{Class: Throttled, N: 12, Left: NoDeadline}, 0, false},
		{"provider's own figures", Policy{Throttled: 3, Base: 10 * sec, Cap: 72 * sec}, Try{Class: Throttled, N: 2, Left: NoDeadline}, 20 * sec, true},
		{"fourth failure", Policy{}, Try{Class: Transient, N: 4, Left: NoDeadline}, 4 * sec, true},
		{"fifth failure", Policy{}, Try{Class: Transient, N: 5, Left: NoDeadline}, 0, false},
		{"timeout", Policy{}, Try{Class: TimedOut, N: 1, Left: NoDeadline}, sec / 2, true},
		{"server's wait is longer", Policy{}, Try{Class: Throttled, N: 1, Wait: 33*sec + 1, Jitter: .9, Left: NoDeadline}, 33*sec + 1, true},
		{"server's wait is shorter", Policy{}, Try{Class: Throttled, N: 5, Wait: sec, Left: NoDeadline}, 8 * sec, true},
		{"server's wait is capped", Policy{}, Try{Class: Throttled, N: 1, Wait: math.MaxInt64, Left: NoDeadline}, MaxWait, true},
		{"just before the deadline", Policy{}, Try{Class: Throttled, N: 1, Left: sec/2 + 1}, sec / 2, true},
		{"not before the deadline", Policy{}, Try{Class: Throttled, N: 1, Left: sec / 2}, sec / 2, false},
		{"after the deadline", Policy{}, Try{Class: TimedOut, N: 1, Left: -sec}, sec / 2, false},
	} {
		if wait, again := c.p.Next(c.t); again != c.again || again && wait != c.wait {
			t.Errorf("%s: %v, %v; want %v, %v", c.name, wait, again, c.wait, c.again)
		}
	}
	for _, class := range []Class{"", Denied, NotFound, Cancelled, Blocked, TooLarge, Other, "new"} {
		if _, again := (Policy{}).Next(Try{Class: class, N: 1, Left: NoDeadline}); again {
			t.Errorf("%q would be tried again", class)
		}
	}
}

func TestNextProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		try := Try{Class: rapid.SampledFrom([]Class{Throttled, Transient}).Draw(t, "class"), N: rapid.IntRange(1, 1<<40).Draw(t, "n"),
			Wait: time.Duration(rapid.Int64().Draw(t, "wait")), Left: NoDeadline, Jitter: rapid.Float64Range(0, math.Nextafter(1, 0)).Draw(t, "jitter")}
		p := Policy{Throttled: 1 << 41, Transient: 1 << 41}
		wait, again := p.Next(try)
		try.Jitter = 0
		bare, _ := p.Next(try)
		if !again || wait < bare || float64(wait) > 1.2*float64(bare)+1 || wait < min(try.Wait, MaxWait) || wait > max(20*time.Second, min(try.Wait, MaxWait)) {
			t.Fatalf("%v, %v; without jitter %v", wait, again, bare)
		}
	})
}

func TestWait(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, c := range []struct {
		header string
		want   time.Duration
	}{
		{"", 0},
		{"Retry-After: 30", 30 * time.Second},
		{"Retry-After: 0", 0},
		{"Retry-After: -5", 0},
		{"Retry-After: 1.0001", 1000100 * time.Microsecond},
		{"Retry-After: 1e-10", 1}, // up, never down
		{"Retry-After: 901", MaxWait},
		{"Retry-After: 1000000000", MaxWait},
		{"Retry-After: 1e999", MaxWait},
		{"Retry-After: 99999999999999999999999", MaxWait},
		{"Retry-After: -99999999999999999999999", 0},
		{"Retry-After: NaN", 0},
		{"Retry-After: soon", 0},
		{"Retry-After: ", 0},
		{"Retry-After: 5|Retry-After: 9|Retry-After: x", 9 * time.Second},
		{"Retry-After: 5, 9, x", 9 * time.Second},
		{"X-Amz-Retry-After: 1500", 1500 * time.Millisecond},
		{"X-Amz-Retry-After: 1500|Retry-After: 1", 1500 * time.Millisecond},
		{"X-Amz-Retry-After: 1500|Retry-After: 2", 2 * time.Second},
		{"Retry-After: " + at(time.Minute), time.Minute},
		{"Retry-After: " + at(-time.Minute), 0},
		{"Retry-After: " + at(200*365*24*time.Hour), MaxWait},
		{"Date: nonsense|Retry-After: " + at(time.Minute), time.Minute},
		// The server's clock is an hour off: only its own two dates count.
		{"Date: " + at(time.Hour) + "|Retry-After: " + at(time.Hour+time.Minute), time.Minute},
		{"Date: " + at(-time.Hour) + "|Retry-After: " + at(-time.Hour+time.Minute), time.Minute},
	} {
		h := http.Header{}
		for _, line := range strings.Split(c.header, "|") {
			k, v, _ := strings.Cut(line, ": ")
			h.Add(k, v)
		}
		if got := Wait(h, now); got != c.want {
			t.Errorf("%q: %v, want %v", c.header, got, c.want)
		}
	}
}

func FuzzWait(f *testing.F) {
	for _, s := range []string{"30", "-1", "1e9", "Inf", "0x1p-2", "Wed, 21 Oct 2026 07:28:00 GMT", "a,9", ""} {
		f.Add(s, s, s, "Wed, 21 Oct 2026 07:27:00 GMT", int64(0))
	}
	f.Fuzz(func(t *testing.T, a, b, ms, date string, unix int64) {
		now := time.Unix(unix, 0)
		h := http.Header{"Retry-After": {a, b}, "X-Amz-Retry-After": {ms}, "Date": {date}}
		got := Wait(h, now)
		if got < 0 || got > MaxWait {
			t.Fatalf("%v", got)
		}
		for _, one := range []http.Header{{"Retry-After": {a}, "Date": {date}}, {"Retry-After": {b}, "Date": {date}}, {"X-Amz-Retry-After": {ms}}} {
			if Wait(one, now) > got {
				t.Fatalf("%v is shorter than that of %v alone", got, one)
			}
		}
	})
}

func TestStatusClass(t *testing.T) {
	for status, want := range map[int]Class{200: "", 304: "", 400: Other, 401: Denied, 403: Denied, 404: NotFound, 407: Other, 409: Other,
		429: Throttled, 500: Transient, 502: Transient, 503: Throttled, 504: Transient} {
		if got := StatusClass(status); got != want {
			t.Errorf("%d: %q, want %q", status, got, want)
		}
	}
}

func TestClassOf(t *testing.T) {
	throttled := &Failure{Class: Throttled, Err: io.EOF}
	for _, c := range []struct {
		err  error
		want Class
	}{
		{nil, ""},
		{errors.New("x"), Other},
		{fmt.Errorf("a: %w", throttled), Throttled},
		{fmt.Errorf("a: %w", ErrTooLarge), TooLarge},
		{&Refused{Op: "x"}, Blocked},
		{waiting(context.Canceled, throttled), Cancelled},
		{waiting(context.DeadlineExceeded, throttled), Throttled},
		{waiting(context.DeadlineExceeded, nil), TimedOut},
		{&TimeoutError{time.Second}, TimedOut},
	} {
		if got := ClassOf(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

func TestDoStops(t *testing.T) {
	for _, c := range []struct {
		class Class
		calls int
	}{{Denied, 1}, {NotFound, 1}, {Other, 1}, {Transient, 5}, {TimedOut, 5}, {Throttled, 12}} {
		synctest.Test(t, func(t *testing.T) {
			lane, calls := newLane(Limits{Rate: 100}), 0
			err := Do(t.Context(), Policy{}, lane, func(context.Context) error {
				calls++
				return &Failure{Class: c.class, Err: io.EOF}
			})
			if calls != c.calls || ClassOf(err) != c.class || !errors.Is(err, io.EOF) {
				t.Errorf("%s: %d calls, %v; want %d", c.class, calls, err, c.calls)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // classes are counted apart: 11 throttles don't use up the failures
		lane, calls := newLane(Limits{Rate: 100}), 0
		err := Do(t.Context(), Policy{}, lane, func(context.Context) error {
			calls++
			switch {
			case calls <= 11:
				return &Failure{Class: Throttled, Err: io.EOF}
			case calls <= 15:
				return &Failure{Class: Transient, Err: io.EOF}
			}
			return nil
		})
		if err != nil || calls != 16 {
			t.Errorf("%d calls, %v", calls, err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // a wait beyond the deadline isn't begun; a cancelled one ends at once
		lane := newLane(Limits{Rate: 100})
		throttle := func(context.Context) error { return &Failure{Class: Throttled, Wait: time.Minute, Err: io.EOF} }
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		if err := Do(ctx, Policy{}, lane, throttle); ClassOf(err) != Throttled || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		ctx, cancel2 := context.WithCancel(t.Context())
		time.AfterFunc(90*time.Second, cancel2) // during the wait after the second try
		if err := Do(ctx, Policy{}, lane, throttle); ClassOf(err) != Cancelled || time.Since(start) != 90*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
	synctest.Test(t, func(t *testing.T) { // a panic of fn doesn't cost the lane a place
		lane := newLane(Limits{Rate: 100})
		func() {
			defer func() { recover() }()
			Do(t.Context(), Policy{}, lane, func(context.Context) error { panic("x") })
		}()
		if err := Do(t.Context(), Policy{}, lane, func(context.Context) error { return nil }); err != nil {
			t.Error(err)
		}
	})
}
