package connlimit

// Reason says why a connection was evicted.
type Reason string

// The reasons of evictions.
const (
	TableFull Reason = "table_full" // a newcomer got its place
	Memory    Reason = "memory"     // unauthenticated connections held too much memory
	Expired   Reason = "expired"    // no call was admitted on it in time
	Flood     Reason = "flood"      // it sent too many control frames
)

// Reasons returns all reasons of evictions.
func Reasons() []Reason { return []Reason{TableFull, Memory, Expired, Flood} }

type eviction struct {
	conn   *Conn
	reason Reason
}

// evict removes the connection; unlock hangs up on it. The caller holds table.mu.
func (c *Conn) evict(reason Reason) {
	if c.state != isClosed {
		c.remove()
		c.table.evicted = append(c.table.evicted, eviction{c, reason})
	}
}

// evictNow evicts the connection.
func (c *Conn) evictNow(reason Reason) {
	c.table.mu.Lock()
	defer c.table.unlock()
	c.evict(reason)
}
