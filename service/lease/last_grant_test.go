package lease_test

import (
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
)

// Follows must not be true if anyone had the lease since LastGrant, in this gateway or in another one.
func TestLeaseFollowsTheLatestGrantOnly(t *testing.T) {
	for _, row := range []struct {
		name    string
		lockers func(t *testing.T) (own, other lease.Locker)
	}{
		{"in one process", func(*testing.T) (lease.Locker, lease.Locker) {
			local := lease.NewLocal(lease.Limits{})
			return local, local
		}},
		{"through Redis", func(t *testing.T) (lease.Locker, lease.Locker) {
			server := redistest.Start(t)
			return newRedis(t, server), newRedis(t, server)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			own, other := row.lockers(t)
			take(t, own, 9).Release() // the server grants leases
			latest := func(customer int64) lease.Grant {
				grant, err := own.LastGrant(t.Context(), customer)
				if err != nil {
					t.Fatal(err)
				}
				return grant
			}

			never := latest(1)
			first := take(t, own, 1)
			if !first.Follows(never) {
				t.Error("the first lease does not follow the absence of a grant")
			}
			if held := latest(1); held != lease.Held || first.Follows(held) {
				t.Errorf("a held lease has the latest grant %q", held)
			}
			first.Release()
			waitFor(t, func() bool { return latest(1) != lease.Held })

			second := latest(1)
			if second == never {
				t.Error("a grant leaves no trace")
			}
			take(t, other, 2).Release() // of another customer
			taken := take(t, own, 1)
			if !taken.Follows(second) {
				t.Error("a lease does not follow the grant before it")
			}
			taken.Release()
			waitFor(t, func() bool { return latest(1) != lease.Held })

			third := latest(1)
			take(t, other, 1).Release()
			last := take(t, own, 1)
			defer last.Release()
			if last.Follows(third) || last.Follows(never) {
				t.Error("another lease in between is not noticed")
			}
		})
	}
}
