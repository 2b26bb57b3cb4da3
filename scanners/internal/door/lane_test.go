package door

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A quotaServer is a provider's own token bucket: it throttles what comes too fast.
type quotaServer struct {
	mu       sync.Mutex
	rate     float64
	burst    float64
	tokens   float64
	at       time.Time
	arrivals []time.Time
	refused  int
}

func (s *quotaServer) ask() Class {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.arrivals = append(s.arrivals, now)
	s.tokens, s.at = min(s.burst, s.tokens+now.Sub(s.at).Seconds()*s.rate), now
	if s.tokens < 1 {
		s.refused++
		return Throttled
	}
	s.tokens--
	return ""
}

// 200 workers on one quota owner for an hour: after 30 s the offered rate stays within 1.05 of the limit in every
// window of 10 s, whether our own limit is the server's or, as nobody knows that one, twice as much.
func TestOfferedRate(t *testing.T) {
	for _, c := range []struct {
		ours, least float64
	}{{20, 0.99}, {40, 0.5}} {
		synctest.Test(t, func(t *testing.T) {
			const rate = 20
			server := &quotaServer{rate: rate, burst: 20, tokens: 20, at: time.Now()}
			lane := newLane(Limits{Rate: c.ours, Burst: 5, Concurrent: 10})
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			start := time.Now()
			var wg sync.WaitGroup
			for range 200 {
				wg.Go(func() {
					for {
						leave, err := lane.Enter(ctx)
						if err != nil {
							return
						}
						class := server.ask()
						time.Sleep(50 * time.Millisecond)
						leave(class, 0)
					}
				})
			}
			wg.Wait()
			steady, from := 0, 0
			for i, at := range server.arrivals {
				if at.Sub(start) < 30*time.Second {
					from = i + 1
					continue
				}
				steady++
				for at.Sub(server.arrivals[from]) > 10*time.Second {
					from++
				}
				if n := i - from + 1; c.ours == rate && float64(n) > 1.05*rate*10 {
					t.Fatalf("%d requests in 10 s, limit %v/s", n, rate)
				}
			}
			offered := float64(steady) / (time.Hour - 30*time.Second).Seconds()
			t.Logf("our limit %v/s: offered %.2f/s, refused %d of %d", c.ours, offered, server.refused, len(server.arrivals))
			if offered > 1.05*rate || offered < c.least*rate {
				t.Errorf("offered %.2f/s to a server of %v/s", offered, rate)
			}
			if float64(server.refused) > 0.02*float64(len(server.arrivals)) {
				t.Errorf("%d of %d refused", server.refused, len(server.arrivals))
			}
		})
	}
}

func TestLanePacesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lane := newLane(Limits{Rate: 2, Burst: 3, Concurrent: 100})
		start := time.Now()
		var order []string
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				leave, err := lane.Enter(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, fmt.Sprint(i, " ", time.Since(start).Round(time.Millisecond)))
				leave("", 0)
			})
			synctest.Wait()
		}
		wg.Wait()
		if got, want := fmt.Sprint(order), "[0 0s 1 0s 2 0s 3 500ms 4 1s 5 1.5s]"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestLaneBoundsConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lane := newLane(Limits{Rate: 1000, Burst: 1000, Concurrent: 4})
		var mu sync.Mutex
		under, most := 0, 0
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				leave, _ := lane.Enter(t.Context())
				mu.Lock()
				under++
				most = max(most, under)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				under--
				mu.Unlock()
				leave("", 0)
				leave("", 0) // must not free a second place
			})
		}
		wg.Wait()
		if most != 4 {
			t.Errorf("%d at once, want 4", most)
		}
	})
}

// A throttle halves the rate once for its whole wave, the rate is back after a minute, and never under the floor.
func TestLaneSlowsOnceAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lane := newLane(Limits{Rate: 8, Burst: 8, Concurrent: 8})
		wave := func(n int, class Class, wait time.Duration) {
			var leaves []func(Class, time.Duration)
			for range n {
				leave, err := lane.Enter(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				leaves = append(leaves, leave)
			}
			time.Sleep(time.Millisecond)
			for _, leave := range leaves {
				leave(class, wait)
			}
		}
		wave(8, Throttled, 0)
		if r := lane.rateAt(time.Now()); r != 4 {
			t.Errorf("after one wave of 8 throttles the rate is %v, want 4", r)
		}
		start := time.Now()
		wave(1, "", 0)
		if d := time.Since(start); d < 240*time.Millisecond || d > 260*time.Millisecond {
			t.Errorf("the bucket wasn't drained: next after %v", d)
		}
		time.Sleep(recovery / 4)
		if r := lane.rateAt(time.Now()); r < 5.9 || r > 6.2 {
			t.Errorf("after a quarter of the recovery the rate is %v, want about 6", r)
		}
		time.Sleep(recovery)
		if r := lane.rateAt(time.Now()); r != 8 {
			t.Errorf("after the recovery the rate is %v, want 8", r)
		}
		for range 200 {
			wave(1, Throttled, time.Minute)
		}
		if r := lane.rateAt(time.Now()); r < 8*slowest {
			t.Errorf("the rate fell to %v", r)
		}
		at := newLane(Limits{Rate: 8, Burst: 8, Concurrent: 8})
		leave, _ := at.Enter(t.Context())
		leave(Throttled, 0) // in no time at all: drains the bucket as well
		if wait := at.take(); wait < 249*time.Millisecond {
			t.Errorf("after a throttle the next may go in %v", wait)
		}
		time.Sleep(time.Second)
		leave, _ = at.Enter(t.Context())
		time.Sleep(time.Second)
		leave(Throttled, 0) // nor does the time that its answer took count as rest
		if wait := at.take(); wait < 249*time.Millisecond {
			t.Errorf("after a late throttle the next may go in %v", wait)
		}
	})
}

// A server-given wait holds everybody, those already asleep too, to the nanosecond, and isn't followed by a burst.
func TestLanePauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lane := newLane(Limits{Rate: 10, Burst: 2, Concurrent: 10})
		first, _ := lane.Enter(t.Context())
		second, _ := lane.Enter(t.Context())
		var entered []time.Duration
		var wg sync.WaitGroup
		start := time.Now()
		for range 4 {
			wg.Go(func() {
				leave, _ := lane.Enter(t.Context())
				entered = append(entered, time.Since(start))
				leave("", 0)
			})
		}
		synctest.Wait()
		first(Throttled, 30*time.Second)
		second(Throttled, 10*time.Second) // shorter: changes nothing
		wg.Wait()
		if entered[0] != 30*time.Second {
			t.Errorf("first after %v, want 30s", entered[0])
		}
		for i := range entered[1:] {
			if gap := entered[i+1] - entered[i]; gap < 190*time.Millisecond || gap > 201*time.Millisecond {
				t.Errorf("gap %d after the pause is %v, want about 200ms (half the rate)", i, gap)
			}
		}
	})
}

func TestLaneLeavesPromptly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lanes := NewLanes(func(string) Limits { return Limits{} })
		first, again, other := lanes.Lane("a"), lanes.Lane("a"), lanes.Lane("b")
		if first != again || first == other {
			t.Fatal("a key must have one lane of its own")
		}
		holder, err := lanes.Lane("a").Enter(t.Context()) // now one waits for a place, the others for their turn
		if err != nil {
			t.Fatal(err)
		}
		paused, _ := lanes.Lane("b").Enter(t.Context())
		paused(Throttled, time.Hour)
		start := time.Now()
		late, stop := context.WithTimeout(t.Context(), 0)
		defer stop()
		for key, want := range map[string]Class{"a": TimedOut, "b": Throttled} { // b is slow because it was throttled
			if _, err := lanes.Lane(key).Enter(late); ClassOf(err) != want {
				t.Errorf("out of time in %s: %v (%s), want %s", key, err, ClassOf(err), want)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				if _, err := lanes.Lane(string("ab"[i%2])).Enter(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("%d: %v, want Canceled", i, err)
				}
			})
		}
		time.Sleep(time.Second)
		cancel()
		wg.Wait()
		if d := time.Since(start); d != time.Second {
			t.Errorf("left after %v, cancelled after 1s", d)
		}
		if _, err := lanes.Lane("a").Enter(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("with a cancelled context: %v", err)
		}
		holder("", 0)
		if leave, err := lanes.Lane("a").Enter(t.Context()); err != nil { // nothing was lost by the leavers
			t.Error(err)
		} else {
			leave("", 0)
		}
		if d := time.Since(start); d > 3*time.Second {
			t.Errorf("a place was lost for %v", d)
		}
		if leave, err := lanes.Lane("b").Enter(t.Context()); err != nil || time.Since(start) != MaxWait {
			t.Errorf("%v after %v, want %v: a pause is capped", err, time.Since(start), MaxWait)
		} else {
			leave("", 0)
		}
	})
}
