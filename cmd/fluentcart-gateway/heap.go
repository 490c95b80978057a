package main

import (
	"os"
	"runtime"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
)

// heapHeadroom is how much may be allocated between two garbage collections, in bytes. Go's default, as much as is in use,
// is little in a gateway of few calls, which would collect after every seventieth call, and much in one of a thousand.
const heapHeadroom = 12 << 20

// The bounds of GOGC. Below the least, a collection would cost more than the memory is worth.
const leastGCPercent, mostGCPercent = 50, 400

// keepHeadroom adapts GOGC after each collection to the memory in use. An operator's own GOGC or GOMEMLIMIT stays.
func keepHeadroom() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	inUse := []runtimemetrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	percent := 100
	var collected func(*sentinel)
	collected = func(*sentinel) {
		runtimemetrics.Read(inUse)
		marked := inUse[0].Value.Uint64() + inUse[1].Value.Uint64() + inUse[2].Value.Uint64() // GOGC counts all three
		wanted := gcPercent(marked)
		if wanted*10 < percent*9 || wanted*10 > percent*11 { // changing it stops the world for a moment
			percent = wanted
			debug.SetGCPercent(percent)
		}
		runtime.SetFinalizer(&sentinel{}, collected)
	}
	runtime.SetFinalizer(&sentinel{}, collected)
}

// gcPercent returns the GOGC that leaves the headroom to a heap of which so many bytes are in use.
func gcPercent(inUse uint64) int {
	return int(min(max(heapHeadroom*100/max(inUse, 1), leastGCPercent), mostGCPercent))
}

// sentinel is an object that nothing refers to: its finalizer runs after the next collection.
type sentinel struct{ _ [16]byte }
