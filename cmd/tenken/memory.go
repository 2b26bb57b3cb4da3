package main

import (
	"os"
	"runtime/debug"

	"sptr.jp/tenken/findings/inventory"
)

// What a run may take: a million resources fit into 1.2 GiB, what the process holds beside its heap included.
const (
	heapAtLeast  = 1 << 30
	heapResource = 1 << 10
)

// budget tells the collector to keep the heap within what so many resources may take. By itself it would let the heap
// grow to twice of what is in use before it looks. Below the budget it works as ever, and GOMEMLIMIT goes before it.
func budget(resources int) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(max(heapAtLeast, int64(resources)*heapResource))
	}
}

func resourcesOf(units []inventory.Unit) (n int) {
	for i := range units {
		for _, k := range inventory.Kinds() {
			n += units[i].Facts.Count(k)
		}
	}
	return n
}
