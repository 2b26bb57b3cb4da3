package aws

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sptr.jp/tenken/findings/inventory"
)

// shown is how many of a policy's actions its line names: the worst first, so that what is left out is no worse.
const shown = 4

// readOnly are AWS's own policies that change nothing and read next to no data. They hold hundreds of actions more than
// are needed, and who attaches one knows: each is a line of its own, without them.
var readOnly = []string{":iam::aws:policy/SecurityAudit", ":iam::aws:policy/job-function/ViewOnlyAccess"}

// Excess says in a line for each policy what it allows the reader of an account beyond Needs: the role that is assumed
// there, else the user or role whose credentials these are, with the groups of a user. What one action is, is told from
// its name; a pattern that covers anything more than what is needed counts whole. Denials are not subtracted, resources
// and conditions not weighed: what is allowed by one policy and taken back by another is still better not allowed.
func (s *Scanner) Excess(inv *inventory.Inventory) []string {
	var lines []string
	for i := range inv.Units {
		u := &inv.Units[i]
		if u.Scope.System != s.config.System || u.Scope.Type != "aws" || u.Collector != "iam" {
			continue
		}
		who := s.reads(u.Scope.Account)
		if who == "" {
			lines = append(lines, fmt.Sprintf("%s: not known: AWS names no user and no role as the owner of these credentials", u.Scope.Account))
			continue
		}
		for _, line := range excessOf(u, who) {
			lines = append(lines, fmt.Sprintf("%s %s%s", u.Scope.Account, who, line))
		}
	}
	return lines
}

// reads names the principal that reads an account as grants do, user/NAME or role/NAME, or root. It is empty for others,
// such as a federated user, whose policies no listing holds.
func (s *Scanner) reads(account string) string {
	resource := "role/" + s.config.Role
	if s.config.Role == "" {
		parts := strings.SplitN(s.caller, ":", 6)
		if len(parts) < 6 || parts[4] != account {
			return ""
		}
		resource = parts[5]
	}
	kind, path, _ := strings.Cut(resource, "/")
	switch kind {
	case "assumed-role": // assumed-role/NAME/SESSION
		name, _, _ := strings.Cut(path, "/")
		return "role/" + name
	case "user", "role": // user/PATH/NAME
		return kind + "/" + path[strings.LastIndexByte(path, '/')+1:]
	case "root":
		return kind
	}
	return ""
}

// excessOf gives the rest of each line about a principal of a unit.
func excessOf(u *inventory.Unit, who string) (lines []string) {
	switch l := u.Listing(inventory.GrantKind); {
	case who == "root":
		return []string{": everything"}
	case l == nil:
		return []string{": " + notKnown(u, 0)}
	case !l.Complete:
		return []string{": " + notKnown(u, l.Why(u))}
	}
	groups, listed := groupsOf(u, who)
	switch {
	case !listed:
		return []string{": not known: IAM lists no such user"}
	case groups.IsOpen():
		lines = append(lines, ", its groups: "+notKnown(u, groups.Read()))
	}
	for i := range u.Facts.Grants {
		g := &u.Facts.Grants[i]
		holder, via := g.PrincipalName.Or(""), ""
		switch {
		case holder == who:
		case slices.Contains(groups.Items, g.PrincipalID.Or("")):
			via = " by " + holder
		default:
			continue
		}
		what := notKnown(u, g.Role.Read())
		if policy, ok := g.Role.Get(); ok {
			what = beyond(u, policy)
		}
		if what != "" {
			lines = append(lines, fmt.Sprintf("%s → %s: %s", via, g.RoleName.Or(g.ID), what))
		}
	}
	slices.Sort(lines)
	return lines
}

func notKnown(u *inventory.Unit, r inventory.ReadID) string {
	read := u.Read(r)
	return fmt.Sprintf("not known, it was not read (%s: %s)", cmp.Or(read.Operation, getAuthorization.Operation), cmp.Or(read.Reason, inventory.NotInAnswer.Reason))
}

// groupsOf are the ids of the groups of a user, if it is listed; a role is in none.
func groupsOf(u *inventory.Unit, who string) (groups inventory.List[string], listed bool) {
	name, user := strings.CutPrefix(who, "user/")
	for i := range u.Facts.Accounts {
		if a := &u.Facts.Accounts[i]; user && a.Name == name && a.Subtype == "iam:user" {
			return a.GroupIDs, true
		}
	}
	return inventory.Closed[string](nil, 0), !user
}

// beyond says what a policy allows beyond Needs, empty if nothing.
func beyond(u *inventory.Unit, policy *inventory.Role) string {
	switch {
	case policy.Actions.IsOpen():
		return notKnown(u, policy.Actions.Read())
	case slices.ContainsFunc(readOnly, func(arn string) bool { return strings.HasSuffix(policy.ID, arn) }):
		return "AWS's own set for reading, which is more than is needed"
	case policy.AllowsEverything.Or(false):
		return "everything"
	}
	var sorts [3][]string // what is no mere reading, readings of data, other readings
	for _, pattern := range policy.Actions.Items {
		if !needed(pattern) {
			n := sortOf(pattern)
			sorts[n] = append(sorts[n], pattern)
		}
	}
	names, room := []string{"may change", "reads data", "reads"}, shown
	var parts []string
	for n, patterns := range sorts {
		if cut := len(patterns) - max(room, 1); cut > 0 {
			patterns = append(patterns[:len(patterns)-cut:len(patterns)-cut], fmt.Sprintf("%d more", cut))
		}
		if room -= len(patterns); len(patterns) > 0 {
			parts = append(parts, names[n]+" "+strings.Join(patterns, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

func needed(action string) bool {
	for _, n := range Needs() {
		if strings.EqualFold(action, n.Operation) {
			return true
		}
	}
	return false
}

// reading is how the names of AWS's actions begin that change nothing. A pattern says so only if its wildcard comes after.
var reading = regexp.MustCompile(`^(?i)[^!:*?]+:(batchget|check|describe|estimate|generate|get|head|list|lookup|query|scan|search|select|simulate|view)`)

// sortOf gives 0 for what may change something, 1 for what reads data, 2 for what reads anything else. Everything but
// some actions (NotAction) may do all of it.
func sortOf(pattern string) int {
	data := slices.ContainsFunc(dataReads, func(d string) bool { return overlap(strings.ToLower(pattern), strings.ToLower(d)) })
	only := slices.ContainsFunc(dataReads, func(d string) bool { return strings.EqualFold(pattern, d) })
	switch {
	case !reading.MatchString(pattern) && !only:
		return 0
	case data:
		return 1
	}
	return 2
}

// overlap reports that some action fits both patterns, in which * stands for any text and ? for one letter. It takes
// time in proportion to the product of their lengths, however many stars a policy has.
func overlap(a, b string) bool {
	var below []bool // whether what follows a[i] and what begins at b[j] overlap, by j
	for i := len(a); i >= 0; i-- {
		row := make([]bool, len(b)+1)
		for j := len(b); j >= 0; j-- {
			moreA, moreB := i < len(a), j < len(b)
			switch {
			case !moreA && !moreB:
				row[j] = true
			case moreA && a[i] == '*':
				row[j] = below[j] || moreB && row[j+1]
			case moreB && b[j] == '*':
				row[j] = row[j+1] || moreA && below[j]
			case moreA && moreB && (a[i] == b[j] || a[i] == '?' || b[j] == '?'):
				row[j] = below[j+1]
			}
		}
		below = row
	}
	return below[0]
}
