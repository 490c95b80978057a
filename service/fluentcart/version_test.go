package fluentcart

import (
	"testing"
	"time"
)

// The number of known versions is bounded: those of the customers that were seen least recently are forgotten.
func TestVersionsOfManyCustomersAreForgotten(t *testing.T) {
	known := newVersions()
	now := time.Now()
	const many = 2*maxVersions + 1
	for id := int64(1); id <= many; id++ {
		if !known.read(&Customer{ID: id, UpdatedAt: now}, time.Now()) {
			t.Fatalf("customer %d is older than a version that was never seen", id)
		}
	}
	if held := len(known.current) + len(known.old); held > 2*maxVersions {
		t.Errorf("%d versions are held", held)
	}
	earlier := now.Add(-time.Second)
	if !known.read(&Customer{ID: 1, UpdatedAt: earlier}, time.Now()) {
		t.Error("the first customer is still known")
	}
	if known.read(&Customer{ID: many, UpdatedAt: earlier}, time.Now()) {
		t.Error("the last customer is not known")
	}
}
