package aws

import (
	"context"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"sptr.jp/tenken/findings/inventory"
)

// entity is one of the four things that GetAccountAuthorizationDetails lists.
type entity struct {
	user   *iamtypes.UserDetail
	group  *iamtypes.GroupDetail
	role   *iamtypes.RoleDetail
	policy *iamtypes.ManagedPolicyDetail
}

func (e entity) arn() string {
	switch {
	case e.user != nil:
		return str(e.user.Arn)
	case e.group != nil:
		return str(e.group.Arn)
	case e.role != nil:
		return str(e.role.Arn)
	}
	return str(e.policy.Arn)
}

// iam reads who may do what in the account. One call lists users, groups, roles and policies; the credential report
// brings how users sign in; both together make accounts and credentials.
func (r *reader) iam(ctx context.Context) {
	client := iam.NewFromConfig(r.config)
	entities, err := r.entities(ctx, client)
	listed := r.note(getAuthorization, err)
	rows, reported := r.credentialReport(ctx, client)
	summary, err := call(ctx, r, "iam", client.GetAccountSummary, &iam.GetAccountSummaryInput{})
	if err == nil && summary.SummaryMap == nil {
		err = errMissing
	}
	summed := r.note(getSummary, err)

	var root map[string]int32
	if err == nil {
		root = summary.SummaryMap
	}
	accounts := []inventory.ReadID{listed}
	if !r.root(rows, reported, root, summed) {
		accounts = append(accounts, reported, summed) // every account has a root user, and this one's is not in hand
	}
	late := r.users(entities, rows, listed, reported)
	r.groups(entities, listed)
	r.grants(entities, listed)
	r.tenant(ctx, client)

	r.Listed(inventory.AccountKind, accounts...)
	for _, k := range []inventory.Kind{inventory.GroupKind, inventory.RoleKind, inventory.GrantKind} {
		r.Listed(k, listed)
	}
	reads := []inventory.ReadID{listed, reported}
	if late != 0 {
		reads = append(reads, late)
	}
	r.Listed(inventory.CredentialKind, reads...)
}

func (r *reader) entities(ctx context.Context, client *iam.Client) ([]entity, error) {
	kinds := []iamtypes.EntityType{iamtypes.EntityTypeUser, iamtypes.EntityTypeRole, iamtypes.EntityTypeGroup,
		iamtypes.EntityTypeLocalManagedPolicy, iamtypes.EntityTypeAWSManagedPolicy}
	return pages(entity.arn,
		func(token *string) (*iam.GetAccountAuthorizationDetailsOutput, error) {
			out, err := call(ctx, r, "iam", client.GetAccountAuthorizationDetails,
				&iam.GetAccountAuthorizationDetailsInput{Filter: kinds, MaxItems: ptr(int32(1000)), Marker: token})
			if err == nil && out.IsTruncated && str(out.Marker) == "" {
				err = errCut{"more was promised, without a page token"}
			}
			return out, err
		},
		func(out *iam.GetAccountAuthorizationDetailsOutput) ([]entity, *string) {
			found := []entity{}
			if out.UserDetailList == nil && out.GroupDetailList == nil && out.RoleDetailList == nil && out.Policies == nil {
				return nil, nil
			}
			for i := range out.UserDetailList {
				found = append(found, entity{user: &out.UserDetailList[i]})
			}
			for i := range out.GroupDetailList {
				found = append(found, entity{group: &out.GroupDetailList[i]})
			}
			for i := range out.RoleDetailList {
				found = append(found, entity{role: &out.RoleDetailList[i]})
			}
			for i := range out.Policies {
				found = append(found, entity{policy: &out.Policies[i]})
			}
			return found, out.Marker
		})
}

// users makes the accounts and credentials of IAM users. A user that the report lacks, or has with another age, was made
// after it: how it signs in is unknown, and late is the read that says so (0 when there is none). Another user of the same
// name, deleted since, may stand in the report in its place.
func (r *reader) users(entities []entity, rows map[string]row, listed, reported inventory.ReadID) (late inventory.ReadID) {
	groups := map[string]string{}
	for _, e := range entities {
		if e.group != nil {
			groups[str(e.group.GroupName)] = str(e.group.GroupId)
		}
	}
	for _, e := range entities {
		if e.user == nil {
			continue
		}
		name, read := str(e.user.UserName), reported
		line, ok := rows[str(e.user.Arn)]
		if rows != nil && (!ok || line.get("user") != name || !line.madeAt(e.user.CreateDate)) {
			line, late = nil, r.Gap(getReport, inventory.Stale, "the report is older than the user")
			read = late
		}
		a := inventory.Account{
			Head: inventory.Head{ID: str(e.user.UserId), Subtype: "iam:user", Name: name,
				URL: r.console("iam", "/users/details/"+url.PathEscape(name))},
			Emails:    inventory.Closed(addresses(name, e.user.Tags), listed),
			CreatedAt: inventory.Ptr(e.user.CreateDate, listed),
			GroupIDs:  members(e.user.GroupList, groups, listed),
		}
		line.fill(&a, read)
		r.facts.Accounts = append(r.facts.Accounts, a)
		r.facts.Credentials = append(r.facts.Credentials, line.credentials(&a, reported)...)
	}
	return late
}

// members turns names into ids; a name whose id is not in hand leaves the list open.
func members(names []string, ids map[string]string, read inventory.ReadID) inventory.List[string] {
	if names == nil {
		return inventory.Open[string](nil, read)
	}
	var found []string
	for _, name := range names {
		if id := ids[name]; id != "" {
			found = append(found, id)
		}
	}
	if len(found) < len(names) {
		return inventory.Open(found, read)
	}
	return inventory.Closed(found, read)
}

// addresses are those that the account is known by: a name that is one, and tags that say so.
func addresses(name string, tags []iamtypes.Tag) (found []string) {
	candidates := []string{name}
	for _, t := range tags {
		if key := strings.ToLower(str(t.Key)); key == "email" || key == "mail" {
			candidates = append(candidates, str(t.Value))
		}
	}
	for _, c := range candidates {
		c = strings.ToLower(strings.TrimSpace(c))
		if a, err := mail.ParseAddress(c); err == nil && a.Address == c && !slices.Contains(found, c) {
			found = append(found, c)
		}
	}
	return found
}

// groups makes the groups; who is in one is said by the users, so that it is whole only when they are.
func (r *reader) groups(entities []entity, listed inventory.ReadID) {
	in := map[string][]string{}
	for _, e := range entities {
		if e.user != nil {
			for _, group := range e.user.GroupList {
				in[group] = append(in[group], str(e.user.UserId))
			}
		}
	}
	for _, e := range entities {
		if e.group == nil {
			continue
		}
		name := str(e.group.GroupName)
		g := inventory.Group{Head: inventory.Head{ID: str(e.group.GroupId), Subtype: "iam:group", Name: name,
			URL: r.console("iam", "/groups/details/"+url.PathEscape(name))}, MemberIDs: inventory.Closed(in[name], listed)}
		if r.unit.Read(listed).Reason != "" {
			g.MemberIDs = inventory.Open(in[name], listed)
		}
		r.facts.Groups = append(r.facts.Groups, g)
	}
}

// root makes the account of the root user, which every account has. The summary stands in where the report is silent;
// it is false where neither was read, and nothing is known of that user.
func (r *reader) root(rows map[string]row, reported inventory.ReadID, summary map[string]int32, summed inventory.ReadID) bool {
	if rows == nil && summary == nil {
		return false
	}
	id, known := r.unit.Scope.Account, summed
	if summary == nil {
		known = reported
	}
	line := rows["arn:"+r.s.partition+":iam::"+id+":root"]
	if rows != nil && line == nil {
		reported = r.Gap(getReport, inventory.DecodeError, "the report lacks the root user")
	}
	a := inventory.Account{Head: inventory.Head{ID: id + ":root", Subtype: "iam:root", Name: "root", URL: r.console("iam", "/security_credentials")},
		Emails: inventory.Closed[string](nil, known), GroupIDs: inventory.Closed[string](nil, known), CreatedAt: line.moment("user_creation_time", reported)}
	line.fill(&a, reported)
	if count, ok := summary[string(iamtypes.SummaryKeyTypeAccountAccessKeysPresent)]; ok && a.ActiveKeys.IsUnknown() {
		a.ActiveKeys = inventory.Known(int64(count), summed)
	}
	for key, field := range map[iamtypes.SummaryKeyType]*inventory.Val[bool]{
		iamtypes.SummaryKeyTypeAccountMFAEnabled:                 &a.MFA,
		iamtypes.SummaryKeyTypeAccountPasswordPresent:            &a.ConsolePassword,
		iamtypes.SummaryKeyTypeAccountSigningCertificatesPresent: &a.ActiveSigningCert,
	} {
		if count, ok := summary[string(key)]; ok && field.IsUnknown() {
			*field = inventory.Known(count > 0, summed)
		}
	}
	a.State = stateOf(&a)
	r.facts.Accounts = append(r.facts.Accounts, a)
	r.facts.Credentials = append(r.facts.Credentials, line.credentials(&a, reported)...)
	return true
}

// stateOf: an account that nothing can sign in with is suspended. IAM has no such switch of its own. It rests on console
// password, access keys and signing certificates: SSH public keys and service-specific credentials are not read yet.
func stateOf(a *inventory.Account) inventory.Val[string] {
	keys, known := a.ActiveKeys.Get()
	hasKeys := inventory.Unknown[bool](a.ActiveKeys.Read())
	if known {
		hasKeys = inventory.Known(keys > 0, a.ActiveKeys.Read())
	}
	state := inventory.Known("suspended", a.ConsolePassword.Read())
	for _, way := range []inventory.Val[bool]{a.ConsolePassword, hasKeys, a.ActiveSigningCert} {
		switch open, known := way.Get(); {
		case open:
			return inventory.Known("active", way.Read())
		case !known && !state.IsUnknown():
			state = inventory.Unknown[string](way.Read())
		}
	}
	return state
}
