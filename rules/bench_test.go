package rules_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/rules"
	"sptr.jp/tenken/rules/policy"
)

// BenchmarkRatioJudgeToDecode judges a million resources with every rule, findings built, and compares that with decoding
// the run file's own lines of the same resources: a ratio of 1 says that judging again costs no more than loading.
func BenchmarkRatioJudgeToDecode(b *testing.B) {
	total := 1_000_000
	if v := os.Getenv("TENKEN_BENCH_RESOURCES"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			b.Fatal(err)
		}
		total = n
	}
	pol, err := policy.Load()
	if err != nil {
		b.Fatal(err)
	}
	catalog, err := rules.Load()
	if err != nil {
		b.Fatal(err)
	}
	params, err := pol.Params(nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1100 << 20))
	for b.Loop() {
		units, decode := decoded(b, total)
		inv := inventory.New(units)
		if err := inventory.Derive(inv, inventory.Declared{SystemAssets: nil}); err != nil {
			b.Fatal(err)
		}
		conclude(inv)
		start := time.Now()
		res, err := rules.Judge(inv, rules.Input{Catalog: catalog, Policy: pol, Params: params, Now: now})
		if err != nil {
			b.Fatal(err)
		}
		judge := time.Since(start)
		b.ReportMetric(judge.Seconds()/decode.Seconds(), "judge/decode")
		b.ReportMetric(judge.Seconds(), "judge-s")
		b.ReportMetric(decode.Seconds(), "decode-s")
		b.ReportMetric(float64(len(res.Findings)), "findings")
		b.ReportMetric(float64(peakKiB(b))/1024, "peak-MiB")
	}
}

// decoded makes units line by line, so that the lines themselves are not held, and times their decoding.
func decoded(b *testing.B, total int) (units []inventory.Unit, took time.Duration) {
	rng := rand.New(rand.NewPCG(1, 1))
	for n := 0; n < total; {
		u := benchUnit(rng, len(units), &n)
		line, err := json.Marshal(u)
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		var back inventory.Unit
		if err := json.Unmarshal(line, &back); err != nil {
			b.Fatal(err)
		}
		took += time.Since(start)
		units = append(units, back)
	}
	return units, took
}

// benchUnit is one account and region of a usual mix: mostly backups and volumes, one in thirty with a fault, one in a
// hundred with a gap.
func benchUnit(rng *rand.Rand, nth int, n *int) inventory.Unit {
	region := "ap-northeast-1"
	u := inventory.NewUnit(inventory.Scope{System: "bench", Type: "aws", Account: fmt.Sprintf("%012d", nth), Region: region}, "all",
		inventory.DatabaseKind, inventory.BackupKind, inventory.VolumeKind, inventory.AccountKind, inventory.CredentialKind, inventory.GrantKind)
	read := u.Note(inventory.Read{Operation: "ec2:DescribeVolumes", Permission: "ec2:DescribeVolumes"})
	denied := u.Note(inventory.Read{Operation: "ec2:DescribeVolumes", Permission: "ec2:DescribeVolumes", Reason: inventory.AccessDenied})
	for i := range u.Listings {
		u.Listings[i].Complete = true
	}
	u.Outcome = inventory.Complete
	head := func(service, id string) inventory.Head {
		*n++
		return inventory.Head{ID: fmt.Sprintf("arn:aws:%s:%s:%012d:%s-%08d", service, region, nth, id, *n), Subtype: service + ":" + id,
			Name: fmt.Sprintf("%s-%d", id, *n), Region: region, URL: "https://console.aws.amazon.com/" + service + "/home?region=" + region}
	}
	flag := func(right bool) inventory.Val[bool] {
		switch r := rng.IntN(300); {
		case r < 3:
			return inventory.Unknown[bool](denied)
		case r < 13:
			return inventory.Known(!right, read)
		}
		return inventory.Known(right, read)
	}
	text := func(s string) inventory.Val[string] { return inventory.Known(s, read) }
	when := inventory.Known(now.Add(-time.Hour), read)
	key := text("arn:aws:kms:ap-northeast-1:111122223333:key/0123abcd-0123-4567-89ab-0123456789ab")
	for range 300 {
		u.Facts.Databases = append(u.Facts.Databases, inventory.Database{Head: head("rds", "db"), Engine: text("postgres"), EngineVersion: text("16.3"),
			Status: text("available"), Port: inventory.Known(int64(5432), read), ClusterID: inventory.Absent[string](read), ReplicaOf: inventory.Absent[string](read),
			PublicAddress: flag(false), Encrypted: flag(true), KMSKey: key, BackupRetentionDays: inventory.Known(int64(7), read), LatestRestorableAt: when,
			PointInTimeRecovery: flag(true), DeletionProtection: flag(true), MultiZone: flag(true), AutoMinorUpgrade: flag(true), TLSRequired: flag(true),
			NetworkID: text("vpc-0123456789abcdef0"), SubnetIDs: inventory.Closed([]string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"}, read),
			SecurityGroupIDs: inventory.Closed([]string{"sg-0123456789abcdef0"}, read), LogExports: inventory.Closed([]string{"postgresql"}, read)})
	}
	for range 1000 {
		u.Facts.Volumes = append(u.Facts.Volumes, inventory.Volume{Head: head("ec2", "vol"), Encrypted: flag(true), KMSKey: key, State: text("in-use"),
			InstanceIDs: inventory.Closed([]string{"i-0123456789abcdef0"}, read)})
	}
	for range 1500 {
		u.Facts.Backups = append(u.Facts.Backups, inventory.Backup{Head: head("ec2", "snapshot"), SourceID: text("vol-0123456789abcdef0"), CreatedAt: when,
			Status: text("completed"), Encrypted: flag(true), Automated: flag(true), Public: flag(false), SharedWith: inventory.Closed[string](nil, read)})
	}
	for range 500 {
		h := head("iam", "user")
		u.Facts.Accounts = append(u.Facts.Accounts, inventory.Account{Head: h, Emails: inventory.Closed([]string{h.Name + "@sptr.jp"}, read), State: text("suspended"),
			CreatedAt: when, LastLoginAt: when, ConsolePassword: flag(false), MFA: flag(true), ActiveKeys: inventory.Known(int64(1), read), ActiveSigningCert: flag(false)})
	}
	for range 300 {
		u.Facts.Credentials = append(u.Facts.Credentials, inventory.Credential{Head: head("iam", "access-key"), OwnerID: text("AIDA0123456789"), Enabled: flag(true),
			CreatedAt: when, LastUsedAt: when, ExpiresAt: inventory.Absent[time.Time](read)})
	}
	for range 400 {
		u.Facts.Grants = append(u.Facts.Grants, inventory.Grant{Head: head("iam", "grant"), PrincipalID: text("AROA0123456789"), PrincipalName: text("role/app"),
			PrincipalType: text("role"), RoleID: text("arn:aws:iam::111122223333:policy/app"), RoleName: text("app")})
	}
	return u
}

// conclude fills what the provider's own Derive would: ways from the internet, and roles of grants.
func conclude(inv *inventory.Inventory) {
	role := &inventory.Role{AllowsEverything: inventory.Known(false, 1)}
	for i := range inv.Units {
		u := &inv.Units[i]
		u.Adopt(&role.Head)
		for d := range u.Facts.Databases {
			db := &u.Facts.Databases[d]
			db.InternetReach, db.InternetOpen = inventory.Known(inventory.Unreachable, 1), inventory.Known(false, 1)
			db.Ingress = inventory.Closed([]inventory.Source{{Kind: "security_group", Value: "sg-1", SameEnvironment: inventory.Known(true, 1)}}, 1)
		}
		for g := range u.Facts.Grants {
			u.Facts.Grants[g].Role = inventory.Known(role, 1)
		}
		for a := range u.Facts.Accounts {
			u.Facts.Accounts[a].Person = inventory.Absent[*inventory.Person](1)
		}
	}
}

// peakKiB is the largest resident set that this process had.
func peakKiB(b *testing.B) int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("no /proc: the peak of resident memory is not measured")
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	b.Fatal("the kernel tells no VmHWM")
	return 0
}
