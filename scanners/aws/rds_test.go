package aws_test

import (
	"slices"
	"testing"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/fixtures"
)

const databasePlace = "aws/333333333333/ap-northeast-1/rds/"

// express adds a cluster of the express configuration, which has a gateway and no network, with one instance.
func express(gateway string) []fixtures.Option {
	return []fixtures.Option{
		fixtures.Patch(databasePlace+"DescribeDBClusters.yaml", `DBClusters: {DBCluster: {+: {DBClusterIdentifier: express, Engine: aurora-postgresql,
  DBClusterArn: "arn:aws:rds:ap-northeast-1:333333333333:cluster:express", DBClusterParameterGroup: null, InternetAccessGatewayEnabled: `+gateway+`}}}`),
		fixtures.Patch(databasePlace+"DescribeDBInstances.yaml", `DBInstances: {DBInstance: {+: {DBInstanceIdentifier: express-1, Engine: aurora-postgresql, DBClusterIdentifier: express,
  DBInstanceArn: "arn:aws:rds:ap-northeast-1:333333333333:db:express-1", PubliclyAccessible: false}}}`),
	}
}

// TestGatewayOfACluster: a gateway makes the cluster and what belongs to it public, whatever the instance says of itself.
func TestGatewayOfACluster(t *testing.T) {
	unit := management + "/" + tokyo + "/rds"
	databases := production(t, express("true")...)[unit].Facts.Databases
	for _, name := range []string{"express", "express-1"} {
		d := named(t, databases, databaseName, name)
		wantVal(t, name+" has a gateway", d.InternetGateway, true)
		wantVal(t, name+" is public", d.PublicAddress, true)
	}
	for _, name := range []string{"spartraining-production", "spartraining-production-1", "spartraining-production-reporting"} {
		if d := named(t, databases, databaseName, name); !d.InternetGateway.IsAbsent() {
			t.Errorf("%s has a gateway: %v", name, d.InternetGateway)
		}
	}

	databases = production(t, express("false")...)[unit].Facts.Databases
	for _, name := range []string{"express", "express-1"} {
		wantVal(t, name+" has no gateway", named(t, databases, databaseName, name).InternetGateway, false)
	}
	wantVal(t, "the address of an instance without a gateway", named(t, databases, databaseName, "express-1").PublicAddress, false)

	u := production(t, append(express("true"), fixtures.Deny(fixtures.Match{Operation: "DescribeDBClusters"}))...)[unit]
	member := named(t, u.Facts.Databases, databaseName, "express-1")
	wantWhy(t, u, "the gateway of a cluster that was refused", member.InternetGateway, "rds:DescribeDBClusters", inventory.AccessDenied)
	wantWhy(t, u, "the address behind it", member.PublicAddress, "rds:DescribeDBClusters", inventory.AccessDenied)
	other := named(t, u.Facts.Databases, databaseName, "spartraining-production-1")
	wantVal(t, "the address of an engine that knows no gateway", other.PublicAddress, false)
}

func TestOptionsAndFamiliesOfAddresses(t *testing.T) {
	unit := management + "/" + tokyo + "/rds"
	databases := production(t,
		fixtures.Patch(databasePlace+"DescribeDBInstances.yaml", `DBInstances: {DBInstance: {
  DBInstanceIdentifier=spartraining-production-reporting: {NetworkType: DUAL, OptionGroupMemberships: {OptionGroupMembership: [{OptionGroupName: a}, {OptionGroupName: b}]}},
  DBInstanceIdentifier=spartraining-production-billing: {NetworkType: null, OptionGroupMemberships: null},
  DBInstanceIdentifier=spartraining-production-1: {NetworkType: null}}}`),
		fixtures.Patch(databasePlace+"DescribeDBClusters.yaml", "DBClusters: {DBCluster: {DBClusterIdentifier=spartraining-production: {NetworkType: DUAL}}}"))[unit].Facts.Databases
	told := named(t, databases, databaseName, "spartraining-production-reporting")
	wantVal(t, "the families of its addresses", told.NetworkType, "DUAL")
	if !slices.Equal(told.OptionGroups.Items, []string{"a", "b"}) || told.OptionGroups.IsOpen() {
		t.Errorf("option groups: %+v", told.OptionGroups)
	}
	silent := named(t, databases, databaseName, "spartraining-production-billing")
	if !silent.NetworkType.IsUnknown() || !silent.OptionGroups.IsOpen() {
		t.Errorf("nothing was said, and became %v, %+v", silent.NetworkType, silent.OptionGroups)
	}
	for _, name := range []string{"spartraining-production", "spartraining-production-1"} {
		wantVal(t, "the families of "+name, named(t, databases, databaseName, name).NetworkType, "DUAL")
	}
}
