package aws

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
)

func need(operation, what string) scanners.Need {
	return scanners.Need{Operation: operation, Permission: operation, For: what}
}

// Everything that this scanner sends. Nothing else leaves: see client.go.
var (
	getCallerIdentity = scanners.Need{Operation: "sts:GetCallerIdentity", For: "the account of the credentials"}
	assumeRole        = scanners.Need{Operation: "sts:AssumeRole", Permission: "sts:AssumeRole", For: "reading the other accounts", Optional: true}
	listAccounts      = scanners.Need{Operation: "organizations:ListAccounts", Permission: "organizations:ListAccounts", For: "the accounts of the organisation", Optional: true}
	describeOrg       = need("organizations:DescribeOrganization", "whether the account belongs to an organisation, and to whose")
	describeRegions   = need("ec2:DescribeRegions", "the regions that the account has enabled")

	generateReport = scanners.Need{Operation: "iam:GenerateCredentialReport", Permission: "iam:GenerateCredentialReport",
		For: "a credential report of today; without it one of the last four hours must be there", Optional: true}
	getReport         = need("iam:GetCredentialReport", "passwords, MFA, access keys and certificates of users and root")
	getAuthorization  = need("iam:GetAccountAuthorizationDetails", "users, groups, roles and their policies")
	getSummary        = need("iam:GetAccountSummary", "MFA and keys of the root user")
	getPasswordPolicy = need("iam:GetAccountPasswordPolicy", "the password policy")

	describeDBInstances     = need("rds:DescribeDBInstances", "databases")
	describeDBClusters      = need("rds:DescribeDBClusters", "database clusters")
	describeDBSubnetGroups  = need("rds:DescribeDBSubnetGroups", "the network of database clusters")
	describeDBParameters    = need("rds:DescribeDBParameters", "whether databases force TLS")
	describeDBClusterParams = need("rds:DescribeDBClusterParameters", "whether database clusters force TLS")
	describeDBBackups       = need("rds:DescribeDBInstanceAutomatedBackups", "automated backups of databases")
	describeDBSnapshots     = need("rds:DescribeDBSnapshots", "database snapshots")
	describeDBSnapshotAttrs = need("rds:DescribeDBSnapshotAttributes", "who may restore database snapshots")
	describeDBClusterSnaps  = need("rds:DescribeDBClusterSnapshots", "cluster snapshots")
	describeDBClusterAttrs  = need("rds:DescribeDBClusterSnapshotAttributes", "who may restore cluster snapshots")

	describeVpcs           = need("ec2:DescribeVpcs", "networks")
	describeSubnets        = need("ec2:DescribeSubnets", "subnets")
	describeRouteTables    = need("ec2:DescribeRouteTables", "routes to the internet")
	describeNetworkAcls    = need("ec2:DescribeNetworkAcls", "network ACLs")
	describeSecurityGroups = need("ec2:DescribeSecurityGroups", "security groups")
	describePrefixLists    = need("ec2:DescribeManagedPrefixLists", "prefix lists that groups and routes name")
	getPrefixListEntries   = need("ec2:GetManagedPrefixListEntries", "the address ranges of prefix lists")
	describeInstances      = need("ec2:DescribeInstances", "virtual machines")
	describeInterfaces     = need("ec2:DescribeNetworkInterfaces", "addresses and what security groups are attached to")
	describeVolumes        = need("ec2:DescribeVolumes", "encryption of volumes")
	getDefaultEncryption   = need("ec2:GetEbsEncryptionByDefault", "whether new volumes are encrypted")
	getSnapshotBlock       = need("ec2:GetSnapshotBlockPublicAccessState", "whether snapshots can be made public")
	describeSnapshots      = need("ec2:DescribeSnapshots", "volume snapshots")
	describeSnapshotAttr   = need("ec2:DescribeSnapshotAttribute", "who may use volume snapshots")
	describeImages         = need("ec2:DescribeImages", "machine images")
	describeImageAttr      = need("ec2:DescribeImageAttribute", "who may launch machine images")
)

// Needs is everything that the scanner may send, whatever its configuration.
func Needs() []scanners.Need {
	return []scanners.Need{
		getCallerIdentity, assumeRole, listAccounts, describeOrg, describeRegions,
		generateReport, getReport, getAuthorization, getSummary, getPasswordPolicy,
		describeDBInstances, describeDBClusters, describeDBSubnetGroups, describeDBParameters, describeDBClusterParams,
		describeDBBackups, describeDBSnapshots, describeDBSnapshotAttrs, describeDBClusterSnaps, describeDBClusterAttrs,
		describeVpcs, describeSubnets, describeRouteTables, describeNetworkAcls, describeSecurityGroups, describePrefixLists,
		getPrefixListEntries, describeInstances, describeInterfaces, describeVolumes, getDefaultEncryption, getSnapshotBlock,
		describeSnapshots, describeSnapshotAttr, describeImages, describeImageAttr,
	}
}

// A collector reads one subject. Each is a unit per account, or per account and region.
type collector struct {
	name  string
	lists []inventory.Kind
	read  func(*reader, context.Context)
}

func globalCollectors() []collector {
	return []collector{{"iam", []inventory.Kind{inventory.AccountKind, inventory.CredentialKind, inventory.GrantKind,
		inventory.GroupKind, inventory.RoleKind, inventory.TenantKind}, (*reader).iam}}
}

func regionalCollectors() []collector {
	return []collector{
		{"rds", []inventory.Kind{inventory.DatabaseKind}, (*reader).rds},
		{"rds-snapshots", []inventory.Kind{inventory.BackupKind}, (*reader).rdsSnapshots},
		{"ec2-network", []inventory.Kind{inventory.NetworkKind, inventory.NetworkACLKind, inventory.PrefixListKind,
			inventory.RouteTableKind, inventory.SecurityGroupKind, inventory.SubnetKind}, (*reader).ec2Network},
		{"ec2-instances", []inventory.Kind{inventory.InstanceKind, inventory.NetworkInterfaceKind}, (*reader).ec2Instances},
		{"ec2-volumes", []inventory.Kind{inventory.TenantKind, inventory.VolumeKind}, (*reader).ec2Volumes},
		{"ec2-snapshots", []inventory.Kind{inventory.BackupKind}, (*reader).ec2Snapshots},
	}
}

func kindsOf(collectors []collector) (kinds []inventory.Kind) {
	for _, c := range collectors {
		kinds = append(kinds, c.lists...)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// KnownKinds is every kind that the scanner lists.
func KnownKinds() []inventory.Kind {
	return kindsOf(append(globalCollectors(), regionalCollectors()...))
}

// dataReads are denied outright: an auditor looks at how data is kept, never at data.
var dataReads = []string{
	"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan",
	"ec2:GetConsoleOutput", "ec2:GetPasswordData",
	"kms:Decrypt", "lambda:GetFunction", "logs:FilterLogEvents", "logs:GetLogEvents",
	"rds-data:*", "s3:GetObject*", "secretsmanager:GetSecretValue", "ssm:GetParameter*",
}

// PolicyDocument is the IAM policy that grants exactly these needs, and denies reading data whatever else is granted.
func PolicyDocument(needs []scanners.Need) ([]byte, error) {
	type statement struct {
		Sid, Effect string
		Action      []string
		Resource    string
	}
	var actions []string
	for _, n := range needs {
		if n.Permission != "" {
			actions = append(actions, n.Permission)
		}
	}
	slices.SortFunc(actions, cmp.Compare)
	document, err := json.MarshalIndent(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", []statement{
		{"TenkenReads", "Allow", slices.Compact(actions), "*"},
		{"TenkenNeverReadsData", "Deny", dataReads, "*"},
	}}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the IAM policy: %w", err)
	}
	return append(document, '\n'), nil
}
