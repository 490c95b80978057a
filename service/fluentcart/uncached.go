package fluentcart

import (
	"crypto/rand"
	"strconv"
	"sync/atomic"
)

// Hosts, CDNs and caching plug-ins keep reads of the REST API, some whatever the headers of the request say (F29). An update
// that merges such a read puts back what an earlier update has changed. Three things guard against it: each read has an
// address that no request had before, a response that a cache has marked is not used, and neither is one that is older than
// what the client has seen of the customer.

// uncachedHeader asks caches for the store's own response.
const uncachedHeader = "Cache-Control: no-cache\r\nPragma: no-cache\r\n"

// uniqueParameter is a query parameter with another value in each read. WordPress passes it on, and neither WordPress nor
// FluentCart reads one of this name.
const uniqueParameter = "_fcg="

// uniqueReads makes the values. They begin with a random text, so that no other process makes the same ones.
type uniqueReads struct {
	prefix string
	number atomic.Uint64
}

func newUniqueReads() *uniqueReads { return &uniqueReads{prefix: rand.Text()} }

// appendParameter appends the parameter with a new value.
func (u *uniqueReads) appendParameter(out []byte) []byte {
	out = append(out, uniqueParameter...)
	out = append(out, u.prefix...)
	return strconv.AppendUint(append(out, '-'), u.number.Add(1), 10)
}

// CacheError is the cause of a read that is not used because it comes from a cache, or is older than what the client has
// seen of the customer.
type CacheError struct {
	// Mark is the header by which the cache says so; empty for a response that is too old.
	Mark string
}

// Error returns one line for the log.
func (e *CacheError) Error() string {
	if e.Mark == "" {
		return "the response is older than what was seen of the customer before"
	}
	return "a cache answered (" + e.Mark + ")"
}
