package aws

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

// named are the prefix lists that some rule or route refers to.
func (r *reader) named() (ids []string) {
	for i := range r.facts.SecurityGroups {
		g := &r.facts.SecurityGroups[i]
		for _, rule := range slices.Concat(g.Ingress.Items, g.Egress.Items) {
			if rule.PrefixListID != "" {
				ids = append(ids, rule.PrefixListID)
			}
		}
	}
	for i := range r.facts.RouteTables {
		for _, route := range r.facts.RouteTables[i].Routes.Items {
			if len(route.Destination) > 3 && route.Destination[:3] == "pl-" {
				ids = append(ids, route.Destination)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// prefixLists reads the lists that are named; nobody asks for the others. Without the groups or the routes nobody knows
// which these are.
func (r *reader) prefixLists(ctx context.Context, client *ec2.Client, groups, tables inventory.ReadID) {
	ids, reads := r.named(), []inventory.ReadID{groups, tables}
	names := map[string]string{}
	if len(ids) > 0 {
		lists, err := pages(func(l ec2types.ManagedPrefixList) string { return str(l.PrefixListId) },
			func(token *string) (*ec2.DescribeManagedPrefixListsOutput, error) {
				return call(ctx, r, "ec2", client.DescribeManagedPrefixLists, &ec2.DescribeManagedPrefixListsInput{MaxResults: ptr(int32(100)), NextToken: token})
			},
			func(out *ec2.DescribeManagedPrefixListsOutput) ([]ec2types.ManagedPrefixList, *string) {
				return out.PrefixLists, out.NextToken
			})
		reads = append(reads, r.note(describePrefixLists, err))
		for _, l := range lists {
			names[str(l.PrefixListId)] = str(l.PrefixListName)
		}
		if err == nil { // what is named and not listed does not exist any more
			ids = slices.DeleteFunc(ids, func(id string) bool { _, there := names[id]; return !there })
		}
	}
	entries, errs := make([][]ec2types.PrefixListEntry, len(ids)), make([]error, len(ids))
	scanners.Each(ctx, r.s.config.Concurrency, ids, func(ctx context.Context, i int, id string) {
		entries[i], errs[i] = pages(func(e ec2types.PrefixListEntry) string { return str(e.Cidr) },
			func(token *string) (*ec2.GetManagedPrefixListEntriesOutput, error) {
				return call(ctx, r, "ec2", client.GetManagedPrefixListEntries,
					&ec2.GetManagedPrefixListEntriesInput{PrefixListId: &id, MaxResults: ptr(int32(100)), NextToken: token})
			},
			func(out *ec2.GetManagedPrefixListEntriesOutput) ([]ec2types.PrefixListEntry, *string) {
				return out.Entries, out.NextToken
			})
	})
	for i, id := range ids {
		read := r.note(getPrefixListEntries, errs[i])
		cidrs := mapped(entries[i], func(e ec2types.PrefixListEntry) string { return str(e.Cidr) })
		l := inventory.PrefixList{Head: r.head("ec2:prefix-list", id, names[id], "PrefixListDetails:prefixListId="), CIDRs: inventory.Closed(cidrs, read)}
		if errs[i] != nil {
			l.CIDRs = inventory.Open(cidrs, read)
		}
		r.facts.PrefixLists = append(r.facts.PrefixLists, l)
	}
	r.Listed(inventory.PrefixListKind, reads...)
}
