package fluentcart

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	// versionLifetime is how long a version is known after it was last seen. A row that is restored from a backup is older
	// than the known version, so the customer cannot be read until then.
	versionLifetime = 5 * time.Minute
	// maxVersions is the largest number of customers in a generation. Two generations take about 2 MiB at most.
	maxVersions = 10000
	// maxClockDifference is how much the store's clock may be ahead of the gateway's, or behind it.
	maxClockDifference = time.Minute
)

// versions remembers which version of each customer the client saw last, so that it recognizes an older one, which only a
// cache can show. The store counts the time of a change in seconds, so versions of the same second are distinguished by
// their content. It is safe for concurrent use.
type versions struct {
	seed maphash.Seed

	mu           sync.Mutex
	current, old map[int64]version // two generations of versions, by customer
	since        time.Time         // when the current generation began
}

func newVersions() *versions { return &versions{seed: maphash.MakeSeed()} }

// version is what was seen of a customer. It holds hashes, and nothing of the customer's data.
type version struct {
	seen      time.Time
	updatedAt int64  // Unix time; 0 if the customer has none
	content   uint64 // 0 if it is not known
	previous  uint64 // the content that the customer had before, with the same updatedAt; 0 if there is none
}

// read notes a customer that was read. It returns false, and notes nothing, if the customer is older than the version that
// is known: its time is earlier, or the same with the content of the version before. A read that began before the known
// version was seen is accepted without a comparison, because it may rightly show an older one.
func (v *versions) read(c *Customer, began time.Time) bool {
	now := v.of(c)
	v.mu.Lock()
	defer v.mu.Unlock()
	known, ok := v.known(c.ID, now.seen)
	if ok && known.seen.After(began) {
		return true
	}
	if ok && now.updatedAt != 0 && known.updatedAt != 0 {
		switch {
		case now.updatedAt < known.updatedAt:
			return false
		case now.updatedAt == known.updatedAt && now.content == known.previous && now.content != known.content:
			return false
		}
		now.keepPrevious(known)
	}
	if !ok && time.Until(c.UpdatedAt) > maxClockDifference {
		return true // the store's clock has not made this time, so the next write may set an earlier one
	}
	v.current[c.ID] = now
	return true
}

// written notes the response to a write. Its time counts even if it is earlier than the known one: a cache does not answer
// writes. A time in the future does not count: the response may show it in another time zone than reads do, and all reads
// would be older. complete says that it shows the content.
func (v *versions) written(c *Customer, complete bool) {
	now := v.of(c)
	v.mu.Lock()
	defer v.mu.Unlock()
	known, ok := v.known(c.ID, now.seen)
	if time.Until(c.UpdatedAt) > maxClockDifference {
		now.updatedAt = 0
	}
	if ok && now.updatedAt == 0 { // a response may leave the time out; the write did not make it earlier
		now.updatedAt = known.updatedAt
	}
	switch {
	case !complete:
		now.content = 0
	case ok:
		now.keepPrevious(known)
	}
	v.current[c.ID] = now
}

// shown notes a customer that the companion showed. Its answers come from the database, and may come in another order than
// that in which they were made: an older one is not noted, and of two of the same second only the time.
func (v *versions) shown(c *Customer) {
	now := v.of(c)
	v.mu.Lock()
	defer v.mu.Unlock()
	known, ok := v.known(c.ID, now.seen)
	switch {
	case now.updatedAt == 0 || time.Until(c.UpdatedAt) > maxClockDifference, ok && now.updatedAt < known.updatedAt:
		return
	case ok && now.updatedAt == known.updatedAt:
		now.content = 0
	}
	v.current[c.ID] = now
}

// keepPrevious keeps the content of the earlier version if that has the same time, because a cache shows it with that time.
// A change that is seen more than a minute after its time shows that the upstream does not set the time with each change:
// there, content that comes back is no sign of a cache.
func (v *version) keepPrevious(earlier version) {
	switch {
	case v.updatedAt != earlier.updatedAt:
	case v.seen.Unix()-v.updatedAt > int64(maxClockDifference/time.Second):
	case v.content != earlier.content:
		v.previous = earlier.content
	default:
		v.previous = earlier.previous
	}
}

// of returns the version of a customer.
func (v *versions) of(c *Customer) version {
	now := version{seen: time.Now()}
	if !c.UpdatedAt.IsZero() {
		now.updatedAt = c.UpdatedAt.Unix()
	}
	var hash maphash.Hash
	hash.SetSeed(v.seed)
	for _, text := range [...]*string{&c.Email, &c.FirstName, &c.LastName, c.City, c.State, c.Country, c.Postcode, c.Status, &c.Notes} {
		if text != nil {
			_, _ = hash.WriteString(*text)
			_ = hash.WriteByte(1)
		}
		_ = hash.WriteByte(0) // ends the column, and distinguishes NULL from empty text
	}
	maphash.WriteComparable(&hash, valueOf(c.UserID))
	now.content = max(hash.Sum64(), 1)
	return now
}

// known returns the version that is known of a customer. It also begins a new generation when the current one is full or
// older than a version can be.
func (v *versions) known(id int64, now time.Time) (version, bool) {
	if v.current == nil || len(v.current) >= maxVersions || now.Sub(v.since) > versionLifetime {
		v.current, v.old, v.since = map[int64]version{}, v.current, now
	}
	known, ok := v.current[id]
	if !ok {
		known, ok = v.old[id]
	}
	if !ok || now.Sub(known.seen) > versionLifetime {
		return version{}, false
	}
	return known, true
}
