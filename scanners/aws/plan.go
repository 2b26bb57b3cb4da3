package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

// Plan implements scanners.Scanner. It finds the accounts, then the regions of each, as units of their own.
func (s *Scanner) Plan(ctx context.Context) []inventory.Unit {
	discovery, caller, accounts := s.discover(ctx)
	plans := make([][]inventory.Unit, len(accounts))
	scanners.Each(ctx, s.config.AccountsAtOnce, accounts, func(ctx context.Context, i int, id string) {
		plans[i] = s.planAccount(ctx, id, caller)
	})
	var units []inventory.Unit
	if len(accounts) == 0 || s.wholeOrganization() {
		units = append(units, discovery)
	}
	for _, plan := range plans {
		units = append(units, plan...)
	}
	slices.SortStableFunc(units, func(a, b inventory.Unit) int { // discovery first
		return boolOrder(a.Outcome == "", b.Outcome == "")
	})
	return units
}

// wholeOrganization says whether the accounts are to be found. Where they are told, whose credentials these are is part
// of each account's unit "regions" and no unit by itself: AWS tells that to everybody, and it is no look at anything.
func (s *Scanner) wholeOrganization() bool {
	return s.config.Role != "" && (len(s.config.Accounts) == 0 || slices.Contains(s.config.Accounts, "all"))
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// discover says who the caller is and which accounts are to be read. While accounts may be missing from that list, the
// unit lists every kind as incomplete, so that nothing is claimed of accounts that nobody knows of.
func (s *Scanner) discover(ctx context.Context) (u inventory.Unit, caller string, accounts []string) {
	scope := inventory.Scope{System: s.config.System, Type: "aws"}
	u = inventory.NewUnit(scope, "discovery")
	r := s.reader(&u)
	out, err := call(ctx, r, "sts", sts.NewFromConfig(r.config).GetCallerIdentity, &sts.GetCallerIdentityInput{})
	if err == nil && (out.Account == nil || out.Arn == nil) {
		err = errShape{"no account is in it"}
	}
	if err != nil {
		u = inventory.NewUnit(scope, "discovery", KnownKinds()...)
		why, detail := reason(err)
		scanners.Fail(&u, getCallerIdentity, why, detail)
		return u, "", nil
	}
	r.OK(getCallerIdentity)
	caller, s.caller = *out.Account, *out.Arn
	if parts := strings.Split(*out.Arn, ":"); len(parts) > 2 {
		s.partition = parts[1]
	}
	switch {
	case s.wholeOrganization():
		accounts = r.organization(ctx, caller)
	case len(s.config.Accounts) == 0 || slices.Contains(s.config.Accounts, "all"):
		accounts = []string{caller}
	default:
		accounts = s.config.Accounts
	}
	r.Finish()
	if len(u.Listings) > 0 {
		u.Outcome = inventory.Partial // the caller's own account is known, and is read
	}
	return u, caller, accounts
}

// organization lists the active accounts of the organisation, and the caller's own in any case.
func (r *reader) organization(ctx context.Context, caller string) []string {
	client := organizations.NewFromConfig(r.config)
	found, err := pages(func(a orgtypes.Account) string { return str(a.Id) },
		func(token *string) (*organizations.ListAccountsOutput, error) {
			return call(ctx, r, "organizations", client.ListAccounts, &organizations.ListAccountsInput{NextToken: token})
		},
		func(out *organizations.ListAccountsOutput) ([]orgtypes.Account, *string) {
			return out.Accounts, out.NextToken
		})
	if codeOf(err) == notInUse {
		err = nil
	}
	if read := r.note(listAccounts, err); err != nil {
		for _, k := range KnownKinds() {
			r.Listed(k, read)
		}
	}
	accounts := []string{caller}
	for _, a := range found {
		active := a.State == orgtypes.AccountStateActive || a.State == "" && a.Status == orgtypes.AccountStatusActive
		if id := str(a.Id); active && id != caller {
			accounts = append(accounts, id)
		}
	}
	slices.Sort(accounts)
	return accounts
}

// planAccount finds the regions of an account and plans its units. What keeps units from being planned is listed by the
// unit "regions".
func (s *Scanner) planAccount(ctx context.Context, id, caller string) []inventory.Unit {
	scope := inventory.Scope{System: s.config.System, Type: "aws", Account: id}
	u := inventory.NewUnit(scope, "regions", KnownKinds()...)
	if s.config.Role == "" && id != caller {
		scanners.Fail(&u, assumeRole, inventory.NotConfigured, "the configuration names no role to assume there")
		return []inventory.Unit{u}
	}
	u.Listings = nil
	r := s.reader(&u)
	if !s.wholeOrganization() {
		r.OK(getCallerIdentity)
	}
	out, err := call(ctx, r, "ec2", ec2.NewFromConfig(r.config).DescribeRegions, &ec2.DescribeRegionsInput{AllRegions: ptr(true)})
	if err == nil && len(out.Regions) == 0 {
		err = errShape{"the list is missing"}
	}
	read := r.note(describeRegions, err)
	if r.unit.Read(read).Operation == assumeRole.Operation {
		r.missing(KnownKinds(), read)
		return []inventory.Unit{u}
	}
	regions, off := s.config.Regions, map[string]string{}
	if err == nil {
		regions, off = s.regionsOf(out.Regions)
		r.leftOut(regions, off)
	} else if len(regions) == 0 {
		r.missing(kindsOf(regionalCollectors()), read)
	}
	r.Finish()
	units := []inventory.Unit{u}
	for _, c := range globalCollectors() {
		units = append(units, inventory.NewUnit(scope, c.name, c.lists...))
	}
	for _, region := range regions {
		scope.Region = region
		for _, c := range regionalCollectors() {
			unit := inventory.NewUnit(scope, c.name, c.lists...)
			if why, ok := off[region]; ok { // it may hold resources from before it was switched off
				scanners.Fail(&unit, describeRegions, inventory.Disabled, why)
			}
			units = append(units, unit)
		}
	}
	return units
}

// missing lists kinds that the unit's failed read kept from being planned, and ends it.
func (r *reader) missing(kinds []inventory.Kind, read inventory.ReadID) {
	for _, k := range kinds {
		r.Listed(k, read)
	}
	r.Finish()
}

// leftOut notes the regions that are not read because they are off and nobody named them.
func (r *reader) leftOut(regions []string, off map[string]string) {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(off)) {
		if !slices.Contains(regions, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return
	}
	detail := "not read, because not opted in: " + strings.Join(names[:min(len(names), 14)], " ")
	if more := len(names) - 14; more > 0 {
		detail += fmt.Sprintf(" and %d more", more)
	}
	r.unit.Note(inventory.Read{Operation: describeRegions.Operation, Permission: describeRegions.Permission, Detail: detail})
}

// regionsOf gives the regions to read: the configured ones, else all that are enabled. off says why one can't be read. A
// region that was switched off after use may still hold resources. Most never were on, so that they are planned only where
// the configuration names them.
func (s *Scanner) regionsOf(all []ec2types.Region) (regions []string, off map[string]string) {
	status := map[string]string{}
	for _, region := range all {
		status[str(region.RegionName)] = str(region.OptInStatus)
	}
	off = map[string]string{}
	if len(s.config.Regions) == 0 {
		for name, st := range status {
			if st == "not-opted-in" {
				off[name] = st
				continue
			}
			regions = append(regions, name)
		}
		slices.Sort(regions)
		return regions, off
	}
	for _, name := range s.config.Regions {
		if st, known := status[name]; !known {
			off[name] = "AWS knows no such region for this account"
		} else if st == "not-opted-in" {
			off[name] = st
		}
	}
	return s.config.Regions, off
}
