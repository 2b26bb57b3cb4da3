package door

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

const (
	recovery = time.Minute // from a throttle to the full rate again, in a straight line
	slowest  = 1.0 / 32    // of the limit; slower a lane doesn't get
)

// Limits are what a quota owner may be asked. What isn't set counts as 1: a limit that was forgotten is slow, never
// unlimited.
type Limits struct {
	Rate       float64 // requests a second
	Burst      int     // requests at once after a rest
	Concurrent int     // requests under way
}

// Lanes holds one Lane for each quota owner: whatever the provider counts by, as a string (account+region+service,
// tenant+app, workspace+method).
type Lanes struct {
	limits func(key string) Limits
	mu     sync.Mutex
	lanes  map[string]*Lane
}

// NewLanes makes an empty set; limits is asked once for each key.
func NewLanes(limits func(key string) Limits) *Lanes {
	return &Lanes{limits: limits, lanes: map[string]*Lane{}}
}

// Lane gives the lane of a key, the same one to everybody.
func (s *Lanes) Lane(key string) *Lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lanes[key] == nil {
		s.lanes[key] = newLane(s.limits(key))
	}
	return s.lanes[key]
}

// A Lane paces the requests of one quota owner: first come, first served, a token bucket for the rate and a bound on
// what is under way. A throttle halves the rate (once, however many requests of the same wave are throttled), and a
// server-given wait holds the whole lane until then.
type Lane struct {
	limit Limits
	turn  chan struct{} // held by the one who waits for the bucket; the others queue here
	slots chan struct{} // held by the requests under way

	mu     sync.Mutex
	tokens float64   // in the bucket at the time at
	at     time.Time // lies ahead while the lane is paused
	rate   float64   // at the time slowed; it recovers from there
	slowed time.Time
}

func newLane(l Limits) *Lane {
	l.Burst, l.Concurrent = max(l.Burst, 1), max(l.Concurrent, 1)
	if !(l.Rate > 0) {
		l.Rate = 1
	}
	return &Lane{limit: l, turn: make(chan struct{}, 1), slots: make(chan struct{}, l.Concurrent),
		tokens: float64(l.Burst), at: time.Now(), rate: l.Rate}
}

// Enter waits until one more request may be sent. Give it the caller's context, not the request's: the time spent
// here is nobody's timeout. Whoever is let in must call leave when the answer's outcome is known, with its class and
// the server-given wait; further calls do nothing, so that it can also be deferred.
func (l *Lane) Enter(ctx context.Context) (leave func(Class, time.Duration), err error) {
	if ctx.Err() != nil {
		return nil, l.leftBehind(ctx)
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, l.leftBehind(ctx)
	}
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, l.leftBehind(ctx)
	}
	for wait := l.take(); wait > 0; wait = l.take() { // a throttle may come while we sleep
		if sleep(ctx, wait) != nil {
			<-l.slots
			return nil, l.leftBehind(ctx)
		}
	}
	entered, once := time.Now(), sync.Once{}
	return func(class Class, wait time.Duration) {
		once.Do(func() {
			if class == Throttled {
				l.throttled(entered, wait)
			}
			<-l.slots
		})
	}, nil
}

// leftBehind is the error of a caller whose context ended in the queue. If its time ran out while the lane was slowed
// down, it was throttled like those whose throttles slowed it.
func (l *Lane) leftBehind(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := fmt.Errorf("waiting for a turn: %w", because(ctx, nil))
	if errors.Is(err, context.DeadlineExceeded) && l.rateAt(time.Now()) < l.limit.Rate {
		return &Failure{Class: Throttled, Err: err}
	}
	return err
}

// take takes a token, or says how long to wait before asking again.
func (l *Lane) take() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.fill(now, float64(l.limit.Burst))
	switch {
	case l.at.After(now):
		return l.at.Sub(now)
	case l.tokens >= 1:
		l.tokens--
		return 0
	}
	return 1 + time.Duration(math.Ceil((1-l.tokens)/l.rateAt(now)*float64(time.Second)))
}

// throttled slows the lane down for a request that entered at that time, and pauses it for wait.
func (l *Lane) throttled(entered time.Time, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !entered.Before(l.slowed) {
		l.rate, l.slowed, l.tokens = max(l.limit.Rate*slowest, l.rateAt(now)/2), now, 0
		l.fill(now, 0)
	}
	l.fill(now.Add(min(wait, MaxWait)), 1) // a pause is no rest: it earns one request, not a burst
	if l.at.After(l.slowed) {
		l.slowed = l.at // recovery starts when the pause ends
	}
}

// fill moves the bucket forward to t, never back.
func (l *Lane) fill(t time.Time, most float64) {
	if d := t.Sub(l.at); d > 0 {
		l.tokens, l.at = min(most, l.tokens+d.Seconds()*l.rateAt(t)), t
	}
}

func (l *Lane) rateAt(t time.Time) float64 {
	return min(l.limit.Rate, l.rate+l.limit.Rate*max(0, t.Sub(l.slowed).Seconds())/recovery.Seconds())
}

// sleep waits for d, or until ctx ends and says why.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return because(ctx, nil)
	}
}
