package door

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A throttler answers over an in-memory transport. Of its calls, those that plan names are first throttled that many
// times, with the wait told in one of the four ways; it remembers until when nobody may come.
type throttler struct {
	mu       sync.Mutex
	t        *testing.T
	plan     map[string]int
	rng      *rand.Rand
	requests int
	done     map[string]int
	until    time.Time // no request may arrive before, once the answer that says so is back
	told     time.Time
}

func (s *throttler) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	now := time.Now()
	s.requests++
	if now.After(s.told) && now.Before(s.until) {
		s.t.Errorf("a request %v too early", s.until.Sub(now))
	}
	call := r.URL.Query().Get("call")
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}
	const latency = 20 * time.Millisecond
	if s.plan[call] > 0 {
		s.plan[call]--
		resp.StatusCode = http.StatusTooManyRequests
		seconds := time.Duration(1+s.rng.IntN(30)) * time.Second
		switch skewed := now.Add(-time.Hour).Truncate(time.Second); s.rng.IntN(4) {
		case 0:
			resp.Header.Set("Retry-After", strconv.Itoa(int(seconds/time.Second)))
		case 1:
			resp.Header.Set("Date", skewed.UTC().Format(http.TimeFormat))
			resp.Header.Set("Retry-After", skewed.Add(seconds).UTC().Format(http.TimeFormat))
		case 2:
			resp.Header.Set("X-Amz-Retry-After", strconv.Itoa(int(seconds/time.Millisecond)))
		default:
			seconds = 0
		}
		if until := now.Add(latency + seconds); until.After(s.until) {
			s.until, s.told = until, now.Add(latency)
		}
	} else {
		s.done[call]++
	}
	s.mu.Unlock()
	return resp, sleep(r.Context(), latency)
}

// get is a provider's call as it is meant to be written: send, read, classify.
func get(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err != nil {
		return err
	}
	if class := StatusClass(resp.StatusCode); class != "" {
		return &Failure{Class: class, Wait: Wait(resp.Header, time.Now()), Err: errors.New(resp.Status)}
	}
	return nil
}

// 10,000 throttles over 20,000 calls cost exactly 10,000 more requests, none earlier than allowed, none lost, and
// though the lane is waited in for hours no request times out.
func TestThrottlesCostExactlyTheirNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls, throttles = 20000, 10000
		rng := rand.New(rand.NewPCG(1, 2))
		s := &throttler{t: t, plan: map[string]int{}, rng: rng, done: map[string]int{}}
		for n := 0; n < throttles; {
			if call := strconv.Itoa(rng.IntN(calls)); s.plan[call] < 8 {
				s.plan[call]++
				n++
			}
		}
		var attempts, failed atomic.Int64
		guard := NewGuard(GuardConfig{Ops: []string{"GET"}, Hosts: []string{"api.example.com"}, Timeout: time.Second, Base: s,
			Identify: func(r *http.Request) (string, error) { return r.Method, nil },
			Journal: func(c Call) {
				if c.Attempt > 1 {
					attempts.Add(1)
				}
			}})
		client := &http.Client{Transport: guard}
		lane := newLane(Limits{Rate: 100, Burst: 10, Concurrent: 10})
		work := make(chan int)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				for i := range work {
					url := "https://api.example.com/?call=" + strconv.Itoa(i)
					if err := Do(t.Context(), Policy{}, lane, func(ctx context.Context) error { return get(ctx, client, url) }); err != nil {
						failed.Add(1)
						t.Errorf("call %d: %v", i, err)
					}
				}
			})
		}
		start := time.Now()
		for i := range calls {
			work <- i
		}
		close(work)
		wg.Wait()
		t.Logf("%d requests in %v of virtual time", s.requests, time.Since(start))
		if s.requests != calls+throttles || attempts.Load() != throttles || failed.Load() != 0 {
			t.Errorf("%d requests, %d of them again, %d calls failed; want %d, %d, 0", s.requests, attempts.Load(), failed.Load(), calls+throttles, throttles)
		}
		for i := range calls {
			if s.done[strconv.Itoa(i)] != 1 {
				t.Fatalf("call %d was answered %d times", i, s.done[strconv.Itoa(i)])
			}
		}
	})
}

// One of 50 quota owners is throttled for ever: its units end at their deadline as throttled, and the other 49
// finish within 1.1 of the time that they need without it.
func TestOneBadLaneOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lanes := NewLanes(func(string) Limits { return Limits{Rate: 10, Burst: 5, Concurrent: 4} })
		run := func(bad int) (slowest time.Duration) {
			start := time.Now()
			var mu sync.Mutex
			var wg sync.WaitGroup
			for i := range 50 {
				for range 4 {
					wg.Go(func() {
						ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
						defer cancel()
						for range 50 {
							err := Do(ctx, Policy{}, lanes.Lane(fmt.Sprint(bad, i)), func(ctx context.Context) error {
								if err := sleep(ctx, 50*time.Millisecond); err != nil || i != bad {
									return err
								}
								return &Failure{Class: Throttled, Err: errors.New("429")}
							})
							if want := map[bool]Class{true: Throttled}[i == bad]; ClassOf(err) != want {
								t.Errorf("lane %d: %v (%s)", i, err, ClassOf(err))
							}
							if err != nil {
								break
							}
						}
						mu.Lock()
						defer mu.Unlock()
						if i != bad {
							slowest = max(slowest, time.Since(start))
						}
					})
				}
			}
			wg.Wait()
			if d := time.Since(start); d > 10*time.Minute {
				t.Errorf("the bad one ended after %v", d)
			}
			return slowest
		}
		alone, with := run(-1), run(7)
		t.Logf("49 lanes need %v, beside a bad one %v", alone, with)
		if with > alone*11/10 {
			t.Errorf("49 lanes need %v, beside a bad one %v", alone, with)
		}
	})
}
