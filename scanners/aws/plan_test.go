package aws_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/fixtures"
	"sptr.jp/tenken/scanners"
	"sptr.jp/tenken/scanners/aws"
)

func planned(t *testing.T, c aws.Config, options ...fixtures.Option) map[string]inventory.Unit {
	t.Helper()
	_, s := serve(t, fixtures.Sptr(), c, options...)
	byID := map[string]inventory.Unit{}
	for _, u := range s.Plan(t.Context()) {
		byID[strings.TrimPrefix(u.ID, "sp/")] = u
	}
	return byID
}

func operation(name string) fixtures.Match { return fixtures.Match{Operation: name} }

// wantOpen wants a unit to list kinds as incomplete, and nothing else.
func wantOpen(t *testing.T, u inventory.Unit, outcome inventory.Outcome, kinds int, gap inventory.Read) {
	t.Helper()
	open := 0
	for i := range u.Listings {
		if !u.Listings[i].Complete && u.Read(u.Listings[i].Why(&u)) == gap {
			open++
		}
	}
	if u.Outcome != outcome || open != kinds || len(u.Listings) != kinds {
		t.Errorf("%s: %s, %d of %d kinds open for %+v; want %s, %d: %+v", u.ID, u.Outcome, open, len(u.Listings), gap, outcome, kinds, u.Gaps())
	}
}

func TestAccountsOfTheOrganization(t *testing.T) {
	role := aws.Config{Role: "tenken-audit", Regions: []string{tokyo}}
	units := planned(t, role)
	for _, id := range []string{"discovery", member + "/regions", management + "/regions", member + "/iam", management + "/" + tokyo + "/rds"} {
		if _, ok := units[id]; !ok {
			t.Errorf("%s is not planned", id)
		}
	}
	const listed = "aws/333333333333/global/organizations/ListAccounts.yaml"
	units = planned(t, role, fixtures.Patch(listed, `Accounts: {"Id=222222222222": {Status: SUSPENDED, State: SUSPENDED}}`))
	if _, ok := units[member+"/iam"]; ok {
		t.Error("a suspended account is planned")
	}
	denied := inventory.Read{Operation: "organizations:ListAccounts", Permission: "organizations:ListAccounts", Reason: inventory.AccessDenied, Detail: "AccessDeniedException"}
	units = planned(t, role, fixtures.Deny(operation("ListAccounts")))
	wantOpen(t, units["discovery"], inventory.Partial, len(aws.KnownKinds()), denied)
	if _, ok := units[management+"/iam"]; !ok {
		t.Error("the caller's own account is known and not planned")
	}
	units = planned(t, role, fixtures.Patch(listed, "null"))
	if u := units["discovery"]; u.Outcome != inventory.Complete || len(u.Listings) > 0 {
		t.Errorf("being in no organisation is a fact: %s, %v", u.Outcome, u.Gaps())
	}
	units = planned(t, role, fixtures.Deny(fixtures.Match{Operation: "AssumeRole", Key: "arn:aws:iam::222222222222:role/tenken-audit"}))
	refused := inventory.Read{Operation: "sts:AssumeRole", Permission: "sts:AssumeRole", Reason: inventory.AccessDenied, Detail: "AccessDenied"}
	wantOpen(t, units[member+"/regions"], inventory.Denied, len(aws.KnownKinds()), refused)
	if _, ok := units[member+"/iam"]; ok {
		t.Error("an account that can't be entered has units")
	}
	units = planned(t, aws.Config{Accounts: []string{member, management}, Regions: []string{tokyo}})
	if u := units[member+"/regions"]; u.Outcome != inventory.Skipped {
		t.Errorf("another account without a role: %s", u.Outcome)
	}
	if _, ok := units[management+"/iam"]; !ok {
		t.Error("the caller's own account needs no role")
	}
	units = planned(t, role, fixtures.Deny(operation("GetCallerIdentity")))
	if u := units["discovery"]; len(units) != 1 || u.Outcome != inventory.Denied || len(u.Listings) != len(aws.KnownKinds()) {
		t.Errorf("nobody knows the account: %d units, %s, %d kinds", len(units), u.Outcome, len(u.Listings))
	}
}

func TestRegions(t *testing.T) {
	all := planned(t, aws.Config{})
	enabled := 0
	for id := range all {
		if strings.HasSuffix(id, "/rds") {
			enabled++
		}
	}
	if _, off := all[management+"/af-south-1/rds"]; off || enabled < 10 {
		t.Errorf("%d regions, and one that is not enabled: %v", enabled, off)
	}
	leftOut := inventory.Read{Operation: "ec2:DescribeRegions", Permission: "ec2:DescribeRegions",
		Detail: "not read, because not opted in: af-south-1 ap-east-1 ap-southeast-3 eu-south-1 me-south-1"}
	if u := all[management+"/regions"]; !slices.Contains(u.Reads, leftOut) || u.Outcome != inventory.Complete {
		t.Errorf("the regions that are off are nowhere named: %v, %s", u.Reads, u.Outcome)
	}
	units := planned(t, aws.Config{Regions: []string{tokyo, "af-south-1", "tokyo"}})
	for region, why := range map[string]string{"af-south-1": "not-opted-in", "tokyo": "AWS knows no such region for this account"} {
		u := units[management+"/"+region+"/rds"]
		wantOpen(t, u, inventory.Failed, 1, inventory.Read{Operation: "ec2:DescribeRegions", Permission: "ec2:DescribeRegions", Reason: inventory.Disabled, Detail: why})
	}
	denied := inventory.Read{Operation: "ec2:DescribeRegions", Permission: "ec2:DescribeRegions", Reason: inventory.AccessDenied, Detail: "UnauthorizedOperation"}
	units = planned(t, aws.Config{}, fixtures.Deny(operation("DescribeRegions")))
	regional := []inventory.Kind{inventory.BackupKind, inventory.DatabaseKind, inventory.InstanceKind, inventory.NetworkKind, inventory.NetworkACLKind,
		inventory.NetworkInterfaceKind, inventory.PrefixListKind, inventory.RouteTableKind, inventory.SecurityGroupKind, inventory.SubnetKind,
		inventory.TenantKind, inventory.VolumeKind}
	wantOpen(t, units[management+"/regions"], inventory.Denied, len(regional), denied)
	if len(units) != 2 { // and iam, which needs no region
		t.Errorf("%d units are planned", len(units))
	}
	units = planned(t, aws.Config{Regions: []string{tokyo}}, fixtures.Deny(operation("DescribeRegions")))
	if _, ok := units[management+"/"+tokyo+"/rds"]; !ok || units[management+"/regions"].Outcome != inventory.Partial {
		t.Errorf("a region that the configuration names needs no list: %v, %s", ok, units[management+"/regions"].Outcome)
	}
}

// TestAnswersOfAnotherOperation: what is well-formed and has another root is no empty list, although the SDK takes it so.
func TestAnswersOfAnotherOperation(t *testing.T) {
	for name, body := range map[string]string{
		"another answer": `<DescribeVolumesResponse><volumeSet/></DescribeVolumesResponse>`,
		"a web page":     "<!DOCTYPE html>\n<html><body>Sign in</body></html>",
		"nothing":        "",
		"words":          "proxy: sign in",
		"JSON":           `{"securityGroupInfo": []}`,
	} {
		t.Run(name, func(t *testing.T) {
			units := production(t, fixtures.Garbage(operation("DescribeSecurityGroups"), body, "text/xml"),
				fixtures.Garbage(operation("GetEbsEncryptionByDefault"), body, "text/xml"))
			u := units[management+"/"+tokyo+"/ec2-network"]
			l := u.Listing(inventory.SecurityGroupKind)
			if l.Complete || u.Read(l.Why(u)).Reason != inventory.DecodeError {
				t.Errorf("listed as complete: %v, %v", l.Complete, u.Gaps())
			}
			u = units[management+"/"+tokyo+"/ec2-volumes"]
			wantWhy(t, u, "a setting", u.Facts.Tenants[0].VolumeEncryptionByDefault, "ec2:GetEbsEncryptionByDefault", inventory.DecodeError)
		})
	}
}

func TestNoCredential(t *testing.T) {
	home := t.TempDir()
	for name, value := range map[string]string{"HOME": home, "AWS_EC2_METADATA_DISABLED": "true", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "",
		"AWS_PROFILE": "", "AWS_CONFIG_FILE": filepath.Join(home, "config"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(home, "credentials"),
		"AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_CA_BUNDLE": ""} {
		t.Setenv(name, value)
	}
	began := time.Now()
	if _, err := aws.New(t.Context(), aws.Config{}, aws.Hooks{}); !errors.Is(err, aws.ErrNoCredential) || !strings.Contains(err.Error(), "AWS_PROFILE") {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("that took %s", took)
	}
	if _, err := aws.New(t.Context(), aws.Config{Profile: "audit"}, aws.Hooks{}); err == nil || !strings.Contains(err.Error(), "audit") {
		t.Errorf("a profile that is not there: %v", err)
	}
	if err := os.WriteFile(filepath.Join(home, "credentials"), []byte("[default]\naws_access_key_id = AKIAX\naws_secret_access_key = y\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := aws.New(t.Context(), aws.Config{}, aws.Hooks{}); err != nil {
		t.Errorf("a credential that may or may not be good is no error: %v", err)
	}
	t.Setenv("AWS_CA_BUNDLE", "/etc/ssl/own.pem")
	if _, err := aws.New(t.Context(), aws.Config{}, aws.Hooks{}); err == nil || !strings.Contains(err.Error(), "SSL_CERT_FILE") {
		t.Errorf("a bundle that is not followed must not be passed over: %v", err)
	}
	if _, err := aws.New(t.Context(), aws.Config{Endpoint: "localhost:5000"}, aws.Hooks{}); err == nil || !strings.Contains(err.Error(), "http://") {
		t.Errorf("an endpoint without a scheme: %v", err)
	}
}

// TestHostsOfAWS: without an endpoint everything goes to AWS's own hosts, and an address from elsewhere is refused.
func TestHostsOfAWS(t *testing.T) {
	home := t.TempDir()
	for name, value := range map[string]string{"HOME": home, "AWS_ACCESS_KEY_ID": "AKIAX", "AWS_SECRET_ACCESS_KEY": "y", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": filepath.Join(home, "config"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(home, "credentials"), "AWS_CA_BUNDLE": ""} {
		t.Setenv(name, value)
	}
	read := func(endpoint string) (hosts, refused []string) {
		t.Setenv("AWS_ENDPOINT_URL", endpoint)
		var mu sync.Mutex
		s, err := aws.New(t.Context(), aws.Config{System: "sp", Regions: []string{tokyo}}, aws.Hooks{
			Transport: provider(func(form url.Values) string {
				if form.Get("Action") == "GetCallerIdentity" {
					return "<Account>333333333333</Account><Arn>arn:aws:iam::333333333333:user/x</Arn>"
				}
				return ""
			}),
			Call: func(c aws.Call) {
				mu.Lock()
				defer mu.Unlock()
				if hosts = append(hosts, c.Host); c.Failure == "blocked" {
					refused = append(refused, c.Host)
				}
			}})
		if err != nil {
			t.Fatal(err)
		}
		units := s.Plan(t.Context())
		for i := range units {
			if units[i].Outcome == "" {
				s.Collect(t.Context(), &units[i])
			}
		}
		slices.Sort(hosts)
		return slices.Compact(hosts), refused
	}
	hosts, refused := read("")
	want := []string{"ec2.ap-northeast-1.amazonaws.com", "iam.amazonaws.com", "organizations.us-east-1.amazonaws.com",
		"rds.ap-northeast-1.amazonaws.com", "sts.ap-northeast-1.amazonaws.com"}
	if !slices.Equal(hosts, want) || len(refused) > 0 {
		t.Errorf("%v, refused %v", hosts, refused)
	}
	if hosts, refused := read("https://collector.example.com"); len(refused) == 0 || len(hosts) != 1 {
		t.Errorf("an endpoint of the environment: %v, refused %v", hosts, refused)
	}
}

func TestPolicyDocumentGrantsExactlyTheNeeds(t *testing.T) {
	document, err := aws.PolicyDocument(aws.Needs())
	if err != nil {
		t.Fatal(err)
	}
	var policy struct {
		Statement []struct {
			Effect, Resource string
			Action           []string
		}
	}
	if err := json.Unmarshal(document, &policy); err != nil || len(policy.Statement) != 2 {
		t.Fatalf("%v in %s", err, document)
	}
	allow, deny := policy.Statement[0], policy.Statement[1]
	var want []string
	for _, n := range aws.Needs() {
		if n.Permission != "" {
			want = append(want, n.Permission)
		}
		verb := n.Operation[strings.Index(n.Operation, ":")+1:]
		reads := slices.ContainsFunc([]string{"Get", "List", "Describe"}, func(p string) bool { return strings.HasPrefix(verb, p) })
		if !reads && n.Operation != "sts:AssumeRole" && n.Operation != "iam:GenerateCredentialReport" {
			t.Errorf("%s is needed and is no reading", n.Operation)
		}
	}
	slices.Sort(want)
	if allow.Effect != "Allow" || !slices.Equal(allow.Action, want) {
		t.Errorf("allowed is %v, needed %v", allow.Action, want)
	}
	for _, data := range []string{"s3:GetObject*", "secretsmanager:GetSecretValue", "kms:Decrypt", "dynamodb:Scan", "ec2:GetPasswordData"} {
		if deny.Effect != "Deny" || !slices.Contains(deny.Action, data) {
			t.Errorf("%s is not denied", data)
		}
	}
}

func TestUnknownCollectorIsAGap(t *testing.T) {
	_, s := serve(t, fixtures.Sptr(), aws.Config{})
	u := inventory.NewUnit(inventory.Scope{System: "sp", Type: "aws", Account: management}, "of-tomorrow", inventory.DatabaseKind)
	s.Collect(t.Context(), &u)
	if u.Outcome != inventory.Failed || u.Listings[0].Complete {
		t.Errorf("%s, %+v", u.Outcome, u.Listings)
	}
	var _ scanners.Scanner = s
}
