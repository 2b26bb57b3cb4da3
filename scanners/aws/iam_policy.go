package aws

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"sptr.jp/tenken/findings/inventory"
)

// principal is who a policy is attached to.
type principal struct {
	id, name, kind string
	attached       []iamtypes.AttachedPolicy
	inline         []iamtypes.PolicyDetail
}

func principals(entities []entity) (all []principal) {
	for _, e := range entities {
		switch {
		case e.user != nil:
			all = append(all, principal{str(e.user.UserId), "user/" + str(e.user.UserName), "user", e.user.AttachedManagedPolicies, e.user.UserPolicyList})
		case e.group != nil:
			all = append(all, principal{str(e.group.GroupId), "group/" + str(e.group.GroupName), "group", e.group.AttachedManagedPolicies, e.group.GroupPolicyList})
		case e.role != nil:
			kind := "role"
			if strings.HasPrefix(str(e.role.Path), "/aws-service-role/") { // AWS keeps this path for itself, and no name
				kind = "service_role"
			}
			all = append(all, principal{str(e.role.RoleId), "role/" + str(e.role.RoleName), kind, e.role.AttachedManagedPolicies, e.role.RolePolicyList})
		}
	}
	return all
}

// grants makes a grant of every policy that is attached to somebody, and a role of every such policy. A policy that
// nobody has gives nothing.
func (r *reader) grants(entities []entity, listed inventory.ReadID) {
	used := map[string]bool{}
	for _, p := range principals(entities) {
		for _, policy := range p.attached {
			arn := str(policy.PolicyArn)
			used[arn] = true
			r.grant(p, arn, str(policy.PolicyName), listed)
		}
		for _, policy := range p.inline {
			id, name := p.id+"/"+str(policy.PolicyName), str(policy.PolicyName)
			r.grant(p, id, name, listed)
			r.role(inventory.Head{ID: id, Subtype: "iam:inline-policy", Name: p.name + "/" + name}, "inline", policy.PolicyDocument, listed)
		}
	}
	for _, e := range entities {
		if e.policy == nil || !used[str(e.policy.Arn)] {
			continue
		}
		managed := "customer"
		if strings.Contains(str(e.policy.Arn), ":iam::aws:") {
			managed = "provider"
		}
		var document *string
		for i := range e.policy.PolicyVersionList {
			if v := &e.policy.PolicyVersionList[i]; v.IsDefaultVersion {
				document = v.Document
			}
		}
		arn := str(e.policy.Arn)
		r.role(inventory.Head{ID: arn, Subtype: "iam:policy", Name: str(e.policy.PolicyName),
			URL: r.console("iam", "/policies/details/"+url.PathEscape(arn))}, managed, document, listed)
	}
}

func (r *reader) grant(p principal, policy, name string, listed inventory.ReadID) {
	r.facts.Grants = append(r.facts.Grants, inventory.Grant{
		Head:          inventory.Head{ID: p.id + "|" + policy + "|*", Subtype: "iam:attachment", Name: p.name + " → " + name},
		PrincipalID:   inventory.Known(p.id, listed),
		PrincipalName: inventory.Known(p.name, listed),
		PrincipalType: inventory.Known(p.kind, listed),
		RoleID:        inventory.Known(policy, listed),
		RoleName:      inventory.Known(name, listed),
	})
}

// role makes a role of a policy. A document that can't be understood leaves what it allows unknown, of this policy alone.
func (r *reader) role(h inventory.Head, managed string, document *string, listed inventory.ReadID) {
	role := inventory.Role{Head: h, Managed: inventory.Known(managed, listed)}
	if actions, all, err := parsePolicy(str(document)); err != nil {
		bad := r.Gap(getAuthorization, inventory.DecodeError, "a policy document could not be understood")
		role.Actions, role.AllowsEverything = inventory.Open[string](nil, bad), inventory.Unknown[bool](bad)
	} else {
		role.Actions, role.AllowsEverything = inventory.Closed(actions, listed), inventory.Known(all, listed)
	}
	r.facts.Roles = append(r.facts.Roles, role)
}

// some is a string or a list of strings; nil when the element is not there.
type some []string

func (s *some) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*s = some{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(b, &many); err != nil || many == nil {
		return errors.New("neither a string nor a list of strings")
	}
	*s = many
	return nil
}

type statement struct {
	Effect                                   string
	Action, NotAction, Resource, NotResource some
}

// statements is one statement or a list of them.
type statements []statement

func (s *statements) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		*s = make(statements, 1)
		return json.Unmarshal(b, &(*s)[0])
	}
	return json.Unmarshal(b, (*[]statement)(s))
}

// parsePolicy reads a policy document, percent-encoded as IAM sends it. actions are the patterns that its statements
// allow, whatever their conditions; "!x" stands for everything but x (NotAction). all: see everything. What other
// statements deny is not subtracted: that is AWS's simulator's work, and a policy that needs a Deny to be harmless is worth
// a look.
func parsePolicy(document string) (actions []string, all bool, err error) {
	if !strings.HasPrefix(document, "{") {
		if document, err = url.PathUnescape(document); err != nil {
			return nil, false, errShape{"the policy is not percent-encoded"}
		}
	}
	var policy struct{ Statement statements }
	if err := json.Unmarshal([]byte(document), &policy); err != nil || policy.Statement == nil {
		return nil, false, errShape{"the policy is not JSON, or has no statement"}
	}
	for _, st := range policy.Statement {
		switch {
		case st.Effect == "Deny":
			continue
		case st.Effect != "Allow" || (st.Action == nil) == (st.NotAction == nil):
			return nil, false, errShape{"a statement has no effect or no action"}
		}
		actions = append(actions, st.Action...)
		for _, a := range st.NotAction {
			actions = append(actions, "!"+a)
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions), everything(policy.Statement), nil
}
