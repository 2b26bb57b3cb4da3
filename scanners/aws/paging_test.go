package aws_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/fixtures"
	"sptr.jp/tenken/scanners/aws"
)

// TestSecondPages: what the demo company has but one of, it has two of here, one to a page.
func TestSecondPages(t *testing.T) {
	const place = "aws/333333333333/ap-northeast-1/"
	units := production(t, fixtures.PageSize(1),
		fixtures.Patch(place+"ec2/DescribeVpcs.yaml", "vpcSet: {item: {+: {vpcId: vpc-second, cidrBlock: 10.99.0.0/16, isDefault: false}}}"),
		fixtures.Patch(place+"ec2/DescribeImages.yaml", "imagesSet: {item: {+: {imageId: ami-second, name: second, isPublic: false, imageState: available, creationDate: '2026-01-02T03:04:05.000Z'}}}"),
		fixtures.Patch(place+"ec2/DescribeImageAttribute/ami-second.yaml", "{imageId: ami-second, launchPermission: {item: [{organizationArn: 'arn:aws:organizations::999999999999:organization/o-x'}]}}"),
		fixtures.Patch(place+"rds/DescribeDBSubnetGroups.yaml", "DBSubnetGroups: {DBSubnetGroup: {+: {DBSubnetGroupName: second, VpcId: vpc-second, Subnets: {Subnet: [{SubnetIdentifier: subnet-second}]}}}}"),
		fixtures.Patch(place+"rds/DescribeDBClusters.yaml", "DBClusters: {DBCluster: {DBClusterIdentifier=spartraining-production: {DBSubnetGroup: second}}}"),
		fixtures.Patch(place+"rds/DescribeDBInstances.yaml", "DBInstances: {DBInstance: {DBInstanceIdentifier=spartraining-production-batch: {LatestRestorableTime: null}}}"))
	vpc := named(t, units[management+"/"+tokyo+"/ec2-network"].Facts.Networks, func(n *inventory.Network) string { return n.ID }, "vpc-second")
	wantVal(t, "the second network", vpc.Default, false)
	image := named(t, units[management+"/"+tokyo+"/ec2-snapshots"].Facts.Backups, backupName, "second")
	wantVal(t, "the second image's age", image.CreatedAt, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	if !slices.Equal(image.SharedWith.Items, []string{"arn:aws:organizations::999999999999:organization/o-x"}) {
		t.Errorf("the second image is shared with %v", image.SharedWith.Items)
	}
	databases := units[management+"/"+tokyo+"/rds"].Facts.Databases
	wantVal(t, "the second subnet group", named(t, databases, databaseName, "spartraining-production").NetworkID, "vpc-second")
	wantVal(t, "an automated backup of the second page", named(t, databases, databaseName, "spartraining-production-batch").LatestRestorableAt, noon.Add(-5*time.Minute))
}

// TestElementWithoutID: what has no id is nobody's, two of them are not one, and the rest is kept.
func TestElementWithoutID(t *testing.T) {
	const place = "aws/333333333333/ap-northeast-1/"
	before := production(t)
	after := production(t, fixtures.PageSize(1),
		fixtures.Patch(place+"rds/DescribeDBInstances.yaml", "DBInstances: {DBInstance: {DBInstanceIdentifier=spartraining-production-reporting: {DBInstanceArn: null}}}"),
		fixtures.Patch(place+"ec2/DescribeVolumes.yaml", "volumeSet: {item: {+: [{encrypted: true}, {encrypted: false}]}}"))
	for unit, kind := range map[string]inventory.Kind{"rds": inventory.DatabaseKind, "ec2-volumes": inventory.VolumeKind} {
		was, is := before[management+"/"+tokyo+"/"+unit], after[management+"/"+tokyo+"/"+unit]
		want := was.Facts.Count(kind)
		if kind == inventory.DatabaseKind {
			want--
		}
		if l := is.Listing(kind); l.Complete || is.Read(l.Why(is)).Reason != inventory.DecodeError || is.Facts.Count(kind) != want {
			t.Errorf("%d %s, listed whole: %v, %v", is.Facts.Count(kind), kind, l.Complete, is.Gaps())
		}
	}
}

// provider answers by operation, as no real one would.
type provider func(form url.Values) string

func (p provider) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	action := form.Get("Action")
	answer := "<" + action + "Response><" + action + "Result>" + p(form) + "</" + action + "Result></" + action + "Response>"
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)), Request: req}, nil
}

// TestParameterBeyondTheFirstPage: a server that doesn't know the filter is read until the parameter comes, and no
// further.
func TestParameterBeyondTheFirstPage(t *testing.T) {
	asked := 0
	s, err := aws.New(t.Context(), aws.Config{System: "sp", Endpoint: "http://127.0.0.1:1"}, aws.Hooks{Transport: provider(func(form url.Values) string {
		switch form.Get("Action") {
		case "DescribeDBInstances":
			return `<DBInstances><DBInstance><DBInstanceIdentifier>a</DBInstanceIdentifier><DBInstanceArn>arn:aws:rds:us-east-1:333333333333:db:a</DBInstanceArn>` +
				`<Engine>postgres</Engine><BackupRetentionPeriod>7</BackupRetentionPeriod><LatestRestorableTime>2026-11-24T11:00:00Z</LatestRestorableTime>` +
				`<DBParameterGroups><DBParameterGroup><DBParameterGroupName>g</DBParameterGroupName></DBParameterGroup></DBParameterGroups></DBInstance></DBInstances>`
		case "DescribeDBParameters":
			if asked++; form.Get("Marker") == "" {
				return `<Parameters><Parameter><ParameterName>log_statement</ParameterName><ParameterValue>all</ParameterValue></Parameter></Parameters><Marker>next</Marker>`
			}
			return `<Parameters><Parameter><ParameterName>rds.force_ssl</ParameterName><ParameterValue>1</ParameterValue></Parameter></Parameters><Marker>more</Marker>`
		}
		return "<DBClusters/>"
	})})
	if err != nil {
		t.Fatal(err)
	}
	u := inventory.NewUnit(inventory.Scope{System: "sp", Type: "aws", Account: management, Region: "us-east-1"}, "rds", inventory.DatabaseKind)
	s.Collect(t.Context(), &u)
	wantVal(t, "forced TLS", named(t, u.Facts.Databases, databaseName, "a").TLSRequired, true)
	if asked != 2 || u.Outcome != inventory.Complete {
		t.Errorf("%d pages, %s: %v", asked, u.Outcome, u.Gaps())
	}
}
