package aws

import (
	"fmt"
	"runtime"
	"testing"

	"sptr.jp/tenken/findings/inventory"
)

// BenchmarkDerive derives a large company: per account and region a few groups, and many machines with their interfaces,
// volumes and backups. It reports what a resource costs in memory, before and after.
func BenchmarkDerive(b *testing.B) {
	n := 1_000_000
	if testing.Short() {
		n = 10_000
	}
	units, count := company(n)
	var before, after runtime.MemStats
	inv := inventory.New(units)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		if err := inventory.Derive(inv, inventory.Declared{}); err != nil {
			b.Fatal(err)
		}
		Derive(inv, inventory.Declared{})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc)/float64(count), "B/resource")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(count), "B/resource-derived")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(count), "ns/resource")
	runtime.KeepAlive(inv)
}

func company(n int) (units []inventory.Unit, count int) {
	const perLab = 5000
	for a := 0; count < n; a++ {
		l := newLab(fmt.Sprintf("%012d", a), "ap-northeast-1")
		l.subnet("subnet-a")
		l.table("rtb-main", true, nil, gateway)
		l.acl("acl-1", []string{"subnet-a"}, openPlace().entries...)
		for g := range 50 {
			l.group(fmt.Sprintf("sg-%d", g), tcp(443, 443, "0.0.0.0/0"), tcp(22, 22, "10.0.0.0/8"))
		}
		volumes := inventory.NewUnit(l.net.Scope, "ec2-volumes", inventory.VolumeKind, inventory.BackupKind)
		for i := range perLab / 4 {
			id, group := fmt.Sprintf("i-%012d%08d", a, i), fmt.Sprintf("sg-%d", i%50)
			l.machine(id, "running")
			l.nic("eni-"+id, id, "", "subnet-a", "198.51.100.1", nil, []string{group})
			volumes.Facts.Volumes = append(volumes.Facts.Volumes, inventory.Volume{Head: l.head("vol-" + id), InstanceIDs: all(l, id), Encrypted: is(l, true)})
			volumes.Facts.Backups = append(volumes.Facts.Backups, inventory.Backup{Head: l.head("snap-" + id), SourceID: is(l, "vol-"+id), SharedWith: all[string](l)})
		}
		units = append(units, l.net, l.machines, l.rds, volumes)
		count += perLab
	}
	return units, count
}
