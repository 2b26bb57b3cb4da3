package aws

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
)

// What counts as the internet. A set of addresses does if it holds every public address of some whole public /8 of IPv4,
// or of some whole /16 of IPv6's global unicast space; narrower sets name somebody. So a range of /8 or wider counts if
// it is public, and so does whatever adds up to one: two halves, a /8 in pieces, one and the same port in several rules,
// groups or prefix lists. A small range that an ACL denies or that is routed elsewhere takes nothing away, since another
// /8 stays whole. What lies within a public /8 and is private (172.16.0.0/12, 192.168.0.0/16 …) is not asked for.

// span is a run of addresses, both ends included. IPv4 addresses count as they are, IPv6 addresses by their first 64
// bits: nothing narrower than a /64 can make or break a /16 (see ipFamily.span).
type span struct{ lo, hi uint64 }

// ranges is a set of addresses of one family: spans that are sorted and neither overlap nor touch.
type ranges []span

// ipFamily is IPv4 or IPv6.
type ipFamily struct {
	v6      bool
	all     span
	block   uint64 // the size of a block that counts as the internet
	public  []span // where such blocks lie
	private ranges // what of them is not public
}

const (
	slash8  = uint64(1) << 24
	slash16 = uint64(1) << 48
)

func newFamilies() [2]*ipFamily {
	v4 := &ipFamily{
		all: span{0, math.MaxUint32}, block: slash8,
		public: []span{{1 * slash8, 10*slash8 - 1}, {11 * slash8, 127*slash8 - 1}, {128 * slash8, 224*slash8 - 1}},
	}
	for _, c := range []string{"100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"} {
		s, _ := v4.span(netip.MustParsePrefix(c))
		v4.private = append(v4.private, s)
	}
	v6 := &ipFamily{v6: true, all: span{0, math.MaxUint64}, block: slash16, public: []span{{0x2000 * slash16, 0x4000*slash16 - 1}}}
	return [2]*ipFamily{v4, v6}
}

// span gives a prefix as a run of addresses; whole is false for what is narrower than the /64 that it stands in: it
// admits nothing that matters, and what it refuses breaks that /64.
func (f *ipFamily) span(p netip.Prefix) (s span, whole bool) {
	b := p.Masked().Addr().AsSlice()
	if f.v6 {
		b = b[:8]
	}
	for _, octet := range b {
		s.lo = s.lo<<8 | uint64(octet)
	}
	size := 8*len(b) - p.Bits()
	if size <= 0 {
		return span{s.lo, s.lo}, p.Bits() == 8*len(b)
	}
	return span{s.lo, s.lo | (math.MaxUint64 >> (64 - size))}, true
}

// has reports that a prefix is of this family.
func (f *ipFamily) has(p netip.Prefix) bool { return p.Addr().Is6() == f.v6 }

func (f *ipFamily) everything() ranges { return ranges{f.all} }

// internet reports that the set counts as the internet.
func (f *ipFamily) internet(r ranges) bool {
	if len(r) == 0 {
		return false
	}
	for _, s := range union(append(slices.Clone(r), f.private...)) {
		for _, p := range f.public {
			lo, hi := max(s.lo, p.lo), min(s.hi, p.hi)
			start := (lo + f.block - 1) / f.block * f.block
			if lo <= hi && start <= hi && hi-start >= f.block-1 {
				return true
			}
		}
	}
	return false
}

// union gives the set that holds all of the given spans. It takes them over.
func union(spans []span) ranges {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && (s.lo <= out[n-1].hi || s.lo-1 == out[n-1].hi) {
			out[n-1].hi = max(out[n-1].hi, s.hi)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// and gives what both sets hold.
func (r ranges) and(other ranges) ranges {
	var out ranges
	for i, j := 0, 0; i < len(r) && j < len(other); {
		if lo, hi := max(r[i].lo, other[j].lo), min(r[i].hi, other[j].hi); lo <= hi {
			out = append(out, span{lo, hi})
		}
		if r[i].hi < other[j].hi {
			i++
		} else {
			j++
		}
	}
	return out
}

// without gives what the set holds outside s.
func (r ranges) without(s span) ranges {
	var out ranges
	for _, x := range r {
		if x.hi < s.lo || x.lo > s.hi {
			out = append(out, x)
			continue
		}
		if x.lo < s.lo {
			out = append(out, span{x.lo, s.lo - 1})
		}
		if x.hi > s.hi {
			out = append(out, span{s.hi + 1, x.hi})
		}
	}
	return out
}

// single reports that a prefix is one address.
func single(p netip.Prefix) bool { return p.Bits() == p.Addr().BitLen() }

// within reports that one of the ranges holds all of p.
func within(p netip.Prefix, in []netip.Prefix) bool {
	return slices.ContainsFunc(in, func(d netip.Prefix) bool {
		return d.Addr().Is6() == p.Addr().Is6() && d.Bits() <= p.Bits() && d.Contains(p.Addr())
	})
}
