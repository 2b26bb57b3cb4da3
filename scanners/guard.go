package scanners

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"sptr.jp/tenken/findings/inventory"
)

// mishap is how a scanner broke its contract.
type mishap struct {
	why    inventory.Reason
	detail string
}

// guarded calls a scanner's code so that neither a panic nor a call that never returns gets further than its unit. What
// does not return within grace after ctx ended is left behind; it keeps a goroutine, but nothing that anybody else uses.
func guarded[T any](ctx context.Context, grace time.Duration, call func(context.Context) T) (T, *mishap) {
	type ending struct {
		value T
		wrong *mishap
	}
	ended := make(chan ending, 1)
	go func() {
		var e ending
		defer func() {
			if p := recover(); p != nil {
				e.wrong = &mishap{inventory.DecodeError, describePanic(p)}
			}
			ended <- e
		}()
		e.value = call(ctx)
	}()
	select {
	case e := <-ended:
		return e.value, e.wrong
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case e := <-ended:
		return e.value, e.wrong
	case <-timer.C:
		var none T
		return none, &mishap{stopReason(ctx), "the scanner did not stop when it was told to"}
	}
}

// describePanic names the type of a panic and the function that it came from. Never its text: that may quote an answer.
// It must be called by the function that recovered.
func describePanic(p any) string {
	if r, ok := p.(raised); ok {
		return r.detail
	}
	detail := fmt.Sprintf("the scanner panicked: %T", p)
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	thrown := false
	for {
		f, more := frames.Next()
		if f.Function == "runtime.gopanic" {
			thrown = true
		} else if thrown && !strings.HasPrefix(f.Function, "runtime.") {
			return detail + " in " + f.Function[strings.LastIndexByte(f.Function, '/')+1:]
		}
		if !more {
			return detail
		}
	}
}

// raised is a panic on its way from one of Each's goroutines to the runner.
type raised struct{ detail string }

// Each calls do for every item, at most limit at once, and returns when every call has. It is the one way in which a
// scanner starts goroutines, so that none outlives its Collect and a panic in one ends in the unit's outcome.
//
// do is called for every item even when ctx ends meanwhile: it then notes a gap, because what is not asked for must not
// be missing without a word. Calls run side by side: what they bring is kept by index and put together after Each.
func Each[T any](ctx context.Context, limit int, items []T, do func(ctx context.Context, i int, item T)) {
	var wg sync.WaitGroup
	var once sync.Once
	var failed *raised
	next := make(chan int)
	for range min(max(limit, 1), len(items)) {
		wg.Go(func() {
			for i := range next {
				if d := safely(func() { do(ctx, i, items[i]) }); d != "" {
					once.Do(func() { failed = &raised{d} })
				}
			}
		})
	}
	for i := range items {
		next <- i
	}
	close(next)
	wg.Wait()
	if failed != nil {
		panic(*failed)
	}
}

// safely describes the panic of do, if there is one.
func safely(do func()) (detail string) {
	defer func() {
		if p := recover(); p != nil {
			detail = describePanic(p)
		}
	}()
	do()
	return ""
}
