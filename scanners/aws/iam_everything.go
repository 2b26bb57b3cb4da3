package aws

import (
	"regexp"
	"slices"
	"strings"
)

// everything says whether the statements of one policy together allow every action on every resource, or all that it
// takes to get there: who may do anything in IAM gives himself the rest. So a statement that allows all but something is
// everything as long as nothing of IAM is in what it leaves out, or another statement brings that back.
func everything(policy statements) bool {
	var allowed []string // patterns of actions
	var wide [][]string  // of each statement that allows all actions but these
	for i := range policy {
		switch actions, left, all := policy[i].onEverything(); {
		case all:
			wide = append(wide, left)
		default:
			allowed = append(allowed, actions...)
		}
	}
	denied := func(action string) bool { // by none of them allowed
		return !slices.ContainsFunc(allowed, func(a string) bool { return glob(a, action) }) &&
			!slices.ContainsFunc(wide, func(left []string) bool {
				return !slices.ContainsFunc(left, func(l string) bool { return sameService(l, action) })
			})
	}
	return slices.ContainsFunc(wide, func(left []string) bool {
		return !slices.ContainsFunc(left, func(action string) bool { return touchesIAM(action) && denied(action) })
	})
}

// onEverything gives what a statement allows on every resource: all actions but what is left out, or those that match
// actions. On IAM's resources alone it allows so much of IAM.
func (st *statement) onEverything() (actions, left []string, all bool) {
	if st.Effect != "Allow" {
		return nil, nil, false
	}
	actions, left = lowered(st.Action), lowered(st.NotAction)
	all = st.NotAction != nil || slices.ContainsFunc(actions, everyAction)
	switch {
	case slices.ContainsFunc(st.Resource, everyResource), st.NotResource != nil && len(st.NotResource) == 0:
		return actions, left, all
	case slices.ContainsFunc(st.NotResource, everyResource):
		return nil, nil, false
	case st.NotResource != nil && !takesIAM(st.NotResource):
		return actions, left, all
	case st.NotResource != nil:
		return nil, append(left, "iam:*"), all
	case !takesIAM(st.Resource) || st.NotAction != nil:
		return nil, nil, false
	case all:
		return []string{"iam:*"}, nil, false
	}
	return slices.DeleteFunc(actions, func(a string) bool { return !strings.HasPrefix(a, "iam:") }), nil, false
}

func lowered(patterns some) []string {
	return mapped(patterns, strings.ToLower) // IAM doesn't tell cases of actions apart
}

// everyOf: a pattern that every word matches. No service has a name of less than two letters, no action either.
func everyOf(pattern string) bool {
	return strings.Contains(pattern, "*") && strings.Trim(pattern, "*?") == "" && strings.Count(pattern, "?") <= 2
}

// everyAction: "*", or "service:action" of which both match everything.
func everyAction(pattern string) bool {
	service, action, both := strings.Cut(pattern, ":")
	return everyOf(service) && (!both || everyOf(action))
}

var partitions = regexp.MustCompile(`^aws[a-z-]*\**$`)

// everyResource: "*", or an ARN of nothing but wildcards, with a partition or without. It leaves out only actions that
// name no resource, and every action that could grant the rest names one. Region and account are empty in many an ARN, so
// that a pattern which wants a letter there doesn't match it.
func everyResource(pattern string) bool {
	parts := strings.Split(pattern, ":")
	if len(parts) == 1 || len(parts) > 6 || parts[0] != "arn" {
		return len(parts) <= 6 && !slices.ContainsFunc(parts, func(part string) bool { return !everyOf(part) })
	}
	for i, part := range parts[1:] {
		last := i == len(parts)-2
		switch {
		case i == 0 && partitions.MatchString(part) && (!last || strings.HasSuffix(part, "*")):
		case (i == 2 || i == 3) && !last && strings.Contains(part, "?"), !everyOf(part):
			return false
		}
	}
	return true
}

// takesIAM says whether the patterns together match everything that IAM has in an account.
func takesIAM(patterns some) bool {
	return !slices.ContainsFunc([]string{"user/some-name", "group/some-name", "role/some-name", "policy/some-name"}, func(resource string) bool {
		return !slices.ContainsFunc(patterns, func(pattern string) bool {
			parts := strings.SplitN(pattern, ":", 6)
			switch {
			case everyResource(pattern):
				return true
			case len(parts) < 4 || !glob(parts[2], "iam"):
				return false
			}
			return len(parts) < 6 && everyOf(parts[len(parts)-1]) || len(parts) == 6 && glob(parts[5], resource)
		})
	})
}

// touchesIAM says whether a pattern may match an action of IAM.
func touchesIAM(action string) bool {
	service, _, both := strings.Cut(action, ":")
	if both {
		return glob(service, "iam")
	}
	literal, _, _ := strings.Cut(strings.ReplaceAll(service, "?", "*"), "*")
	return literal != service && strings.HasPrefix("iam:", literal)
}

// sameService says whether two patterns may match actions of one service.
func sameService(a, b string) bool {
	a, _, _ = strings.Cut(a, ":")
	b, _, _ = strings.Cut(b, ":")
	return glob(a, b) || glob(b, a)
}

// glob matches a word, or all that another pattern matches, with a pattern of IAM.
func glob(pattern, word string) bool {
	quoted := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
	matched, err := regexp.MatchString("^(?s:"+quoted+")$", word)
	return err == nil && matched
}
