package scannertest

import (
	"fmt"
	"slices"
	"testing"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

// portal gives an HTML page for every answer of one operation after the other.
func (h *suite) portal(t *testing.T) {
	page := "<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>" + portalCanary + "</p></body></html>"
	for i, op := range h.used() {
		if !h.Thorough && i%2 == 0 {
			continue
		}
		t.Run(op, func(t *testing.T) {
			r, _ := h.scan(t, scanners.Options{}, Fault{Kind: Portal, Operation: op, Body: page})
			h.knowsLess(t, r)
			h.gap(t, r, op, inventory.DecodeError)
		})
	}
}

// truncated ends the bodies of one operation after the other: before they begin, within the frame, or within a list.
func (h *suite) truncated(t *testing.T) {
	for i, op := range h.used() {
		places := []int{0, 40, 700}
		if !h.Thorough && i%2 == 1 {
			continue // it meets the captive portal
		}
		if !h.Thorough {
			places = places[i/2%3:][:1]
		}
		for _, bytes := range places {
			t.Run(fmt.Sprintf("%s at %d", op, bytes), func(t *testing.T) {
				r, _ := h.scan(t, scanners.Options{}, Fault{Kind: Truncate, Operation: op, N: bytes})
				h.knowsLess(t, r)
				if bytes <= 40 { // no answer is so short
					h.gap(t, r, op, inventory.DecodeError, inventory.Timeout)
				}
			})
		}
	}
}

// oversize blows up the answers of one list.
func (h *suite) oversize(t *testing.T) {
	lists := h.paged(t)
	if len(lists) == 0 {
		t.Fatal("nothing is paged")
	}
	at := slices.IndexFunc(lists, func(op string) bool { return !slices.Contains(h.planned, op) })
	op := lists[max(at, 0)]
	r, _ := h.scan(t, scanners.Options{}, Fault{Kind: Oversize, Operation: op, N: h.Oversize})
	h.knowsLess(t, r)
	h.gap(t, r, op, inventory.TooLarge)
}

// endless makes pagers go on for ever, under one token or under new ones.
func (h *suite) endless(t *testing.T) {
	tooMany := func(requests []Request) bool { return len(requests) > h.Bound }
	for i, op := range h.paged(t) {
		for token, name := range []string{"new tokens", "one token"} {
			if !h.Thorough && i%2 != token {
				continue
			}
			t.Run(op+" with "+name, func(t *testing.T) {
				r, requests := h.scanUntil(t, tooMany, scanners.Options{}, Fault{Kind: Endless, Operation: op, N: token})
				h.knowsLess(t, r)
				h.gap(t, r, op, inventory.PartialList)
				if tooMany(requests) {
					t.Errorf("%d requests to a pager without end", len(requests))
				}
			})
		}
	}
}
