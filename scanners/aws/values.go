package aws

import (
	"strings"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"sptr.jp/tenken/findings/inventory"
)

func ptr[T any](v T) *T { return &v }

func str(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// number is inventory.Ptr for the SDK's narrower integers.
func number(p *int32, r inventory.ReadID) inventory.Val[int64] {
	if p == nil {
		return inventory.Unknown[int64](r)
	}
	return inventory.Known(int64(*p), r)
}

// word is a value of an enumeration; an empty one was not in the answer.
func word[T ~string](v T, r inventory.ReadID) inventory.Val[string] {
	if v == "" {
		return inventory.Unknown[string](r)
	}
	return inventory.Known(string(v), r)
}

// list is a closed list of what an answer holds; a list that was not in the answer stays open.
func list[T, E any](items []E, r inventory.ReadID, of func(E) T) inventory.List[T] {
	if items == nil {
		return inventory.Open[T](nil, r)
	}
	return inventory.Closed(mapped(items, of), r)
}

func mapped[T, E any](items []E, of func(E) T) []T {
	made := make([]T, 0, len(items))
	for _, item := range items {
		made = append(made, of(item))
	}
	return made
}

// nameTag is the tag Name, or else.
func nameTag(tags []ec2types.Tag, otherwise string) string {
	for _, t := range tags {
		if str(t.Key) == "Name" && str(t.Value) != "" {
			return *t.Value
		}
	}
	return otherwise
}

// head is the head of a resource of EC2, whose ids are its own; fragment leads to it in the console of the region.
func (r *reader) head(subtype, id, name, fragment string) inventory.Head {
	return inventory.Head{ID: id, Subtype: subtype, Name: name, Region: r.region, URL: r.console("ec2", fragment+id)}
}

// console is an address in AWS's console; other partitions have other consoles, to which no address is given. Names
// in a fragment must be escaped by whoever writes it.
func (r *reader) console(service, fragment string) string {
	if r.s.partition != "aws" {
		return ""
	}
	host := "console.aws.amazon.com/" + service + "/home"
	if r.region != "" {
		host = r.region + "." + host + "?region=" + r.region
	}
	return "https://" + host + "#" + fragment
}

// arn is the name of an RDS resource of the unit's account and region.
func (r *reader) arn(resource string) string {
	return strings.Join([]string{"arn", r.s.partition, "rds", r.region, r.unit.Scope.Account, resource}, ":")
}
