package aws

import (
	"math"
	"net/netip"
	"slices"
	"testing"
)

func TestRanges(t *testing.T) {
	f := newFamilies()
	for cidr, want := range map[string]span{"0.0.0.0/0": {0, math.MaxUint32}, "255.255.255.255/32": {math.MaxUint32, math.MaxUint32}, "10.1.2.3/8": {10 << 24, 11<<24 - 1}} {
		if got, whole := f[0].span(netip.MustParsePrefix(cidr)); got != want || !whole {
			t.Errorf("%s: %v %t", cidr, got, whole)
		}
	}
	for cidr, want := range map[string]span{"::/0": {0, math.MaxUint64}, "2600::/16": {0x2600 << 48, 0x2601<<48 - 1}, "ffff::/16": {0xffff << 48, math.MaxUint64}} {
		if got, whole := f[1].span(netip.MustParsePrefix(cidr)); got != want || !whole {
			t.Errorf("%s: %v %t", cidr, got, whole)
		}
	}
	if _, whole := f[1].span(netip.MustParsePrefix("2600::1/128")); whole {
		t.Error("one IPv6 address is no /64")
	}
	if got := union([]span{{5, 9}, {0, 3}, {4, 4}, {20, math.MaxUint64}, {30, 40}}); !slices.Equal(got, ranges{{0, 9}, {20, math.MaxUint64}}) {
		t.Errorf("union: %v", got)
	}
	if got := (ranges{{0, 9}, {20, 29}}).without(span{5, 24}); !slices.Equal(got, ranges{{0, 4}, {25, 29}}) {
		t.Errorf("without: %v", got)
	}
	if got := (ranges{{0, 9}, {20, 29}}).and(ranges{{5, 24}, {29, 40}}); !slices.Equal(got, ranges{{5, 9}, {20, 24}, {29, 29}}) {
		t.Errorf("and: %v", got)
	}
}
