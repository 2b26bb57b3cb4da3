package rules

import (
	"cmp"
	"slices"
	"strings"

	"sptr.jp/tenken/findings"
	"sptr.jp/tenken/findings/inventory"
)

// coverage is how whole a kind was listed in one account of one system.
type coverage struct {
	scope inventory.Scope // without region
	gaps  []findings.Gap  // none: every listing is complete
	found int             // resources in the listings
	// subjects of the kind; fewer than found where the kind is drawn from others
	subjects int
}

// drawnFrom says what the kinds that are conclusions are drawn from. They are covered by the listings of their sources,
// beside the listing of their own that a provider's Derive may settle.
func drawnFrom(k inventory.Kind) []inventory.Kind {
	if k == inventory.ExposureKind {
		return []inventory.Kind{inventory.SecurityGroupKind, inventory.NetworkInterfaceKind, inventory.DatabaseKind}
	}
	return nil
}

// scopes gives the findings of a rule on whole accounts: one unknown where a listing is not whole; where all are whole and
// empty, one not_applicable; where there are sources, all whole, and no conclusion was to be drawn from them, one pass:
// security groups that open nothing are what the rule asks for.
func (j *judging) scopes(r *Rule) (out []findings.Finding) {
	var all []string
	for _, k := range r.Kinds() {
		all = append(all, string(k))
	}
	w := j.Catalog.env.words
	for _, s := range j.areas(r) {
		switch {
		case len(s.gaps) > 0:
			f := scopeFinding(r, s.scope, s.open, findings.Unknown)
			f.Unknown = distinct(s.gaps)
			f.Message = w.notKnown(r.Title, f.Unknown, w.kinds(f.Resource.Kinds, s.scope.Type))
			out = append(out, f)
		case s.subjects == 0 && s.found == 0:
			f := scopeFinding(r, s.scope, all, findings.NotApplicable)
			none := w.kinds(f.Resource.Kinds, s.scope.Type)
			f.Message = findings.Text{JA: "対象なし：" + none.JA + "は一つもない。", EN: "There is none to judge: no " + none.EN + "."}
			out = append(out, f)
		case s.subjects == 0:
			f := scopeFinding(r, s.scope, all, findings.Pass)
			f.Message = r.Title
			out = append(out, f)
		}
	}
	return out
}

// area is the coverage of all kinds of a rule in one account.
type area struct {
	coverage
	open []string // the kinds whose listings are not whole
}

func (j *judging) areas(r *Rule) (out []*area) {
	for _, s := range r.subjects {
		for _, c := range j.coverageOf(s.kind) {
			i := slices.IndexFunc(out, func(x *area) bool { return x.scope == c.scope })
			if i < 0 {
				i, out = len(out), append(out, &area{coverage: coverage{scope: c.scope}})
			}
			if len(c.gaps) > 0 {
				out[i].open = append(out[i].open, string(s.kind))
			}
			out[i].gaps = append(out[i].gaps, c.gaps...)
			out[i].found += c.found
			out[i].subjects += c.subjects
		}
	}
	return out
}

// scopeFinding has an account as its subject. Where the provider's account is not known the name of the system is all
// that there is to tell two of them apart.
func scopeFinding(r *Rule, s inventory.Scope, kinds []string, v findings.Verdict) findings.Finding {
	part := ""
	if s.Account == "" {
		part = s.System
	}
	return findings.Finding{
		Fingerprint: findings.Fingerprint(s.Type, s.Account, r.ID, "scope", part),
		Rule:        r.ID, Verdict: v,
		Resource: findings.Resource{
			ID: cmp.Or(s.Account, s.System), Kind: findings.ScopeKind, Kinds: slices.Compact(slices.Sorted(slices.Values(kinds))),
			System: s.System, Type: s.Type, Account: s.Account, Name: s.String(),
		},
	}
}

// coverageOf sums up the listings of a kind account by account.
func (j *judging) coverageOf(k inventory.Kind) []coverage {
	if c, ok := j.cover[k]; ok {
		return c
	}
	sources := append(drawnFrom(k), k)
	at := map[inventory.Scope]int{}
	var all []coverage
	for i := range j.inv.Units {
		u := &j.inv.Units[i]
		for _, src := range sources {
			l := u.Listing(src)
			if l == nil {
				continue
			}
			scope := u.Scope.AccountScope()
			n, ok := at[scope]
			if !ok {
				n = len(all)
				at[scope], all = n, append(all, coverage{scope: scope})
			}
			all[n].found += u.Facts.Count(src)
			if !l.Complete {
				all[n].gaps = append(all[n].gaps, listingGaps(u, l)...)
			}
		}
	}
	for i := range j.inv.Units {
		u := &j.inv.Units[i]
		if n, ok := at[u.Scope.AccountScope()]; ok {
			all[n].subjects += u.Facts.Count(k)
		}
	}
	slices.SortFunc(all, func(a, b coverage) int { return cmp.Compare(a.scope.String(), b.scope.String()) })
	j.cover[k] = all
	return all
}

// listingGaps says why a listing is not whole: its own reads, else whatever the unit failed at, else how the unit ended.
func listingGaps(u *inventory.Unit, l *inventory.Listing) (gaps []findings.Gap) {
	for _, id := range l.Reads {
		if r := u.Read(id); r.Reason != "" {
			gaps = append(gaps, inUnit(u, gapOf(r)))
		}
	}
	if len(gaps) > 0 {
		return gaps
	}
	for _, r := range u.Gaps() {
		gaps = append(gaps, inUnit(u, gapOf(r)))
	}
	if len(gaps) == 0 {
		gaps = append(gaps, inUnit(u, findings.Gap{Reason: endOf(u.Outcome)}))
	}
	return gaps
}

func inUnit(u *inventory.Unit, g findings.Gap) findings.Gap {
	if g.Where == "" {
		g.Where = u.ID
	}
	return g
}

// endOf is the reason of a unit that ended without a read that failed.
func endOf(o inventory.Outcome) inventory.Reason {
	switch o {
	case inventory.Denied:
		return inventory.AccessDenied
	case inventory.ThrottledOut:
		return inventory.Throttled
	case inventory.DisabledUnit:
		return inventory.Disabled
	case inventory.Skipped:
		return inventory.NotConnected
	case inventory.Complete, inventory.Partial:
		return inventory.PartialList
	}
	return inventory.Cancelled
}

// distinct sorts gaps and drops those that are there twice.
func distinct(gaps []findings.Gap) []findings.Gap {
	slices.SortFunc(gaps, func(a, b findings.Gap) int {
		return cmp.Or(strings.Compare(a.Where, b.Where), strings.Compare(a.Operation, b.Operation),
			strings.Compare(string(a.Reason), string(b.Reason)), strings.Compare(a.Field, b.Field),
			strings.Compare(a.Permission, b.Permission), strings.Compare(a.Detail, b.Detail))
	})
	return slices.Compact(gaps)
}
