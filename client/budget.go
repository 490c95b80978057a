package client

import "sync"

// budget bounds the retries of a connection, as gRPC's retry throttling does (gRFC A6): each failed attempt costs a token,
// each success returns a part of one, and nothing is repeated unless more than half of the tokens are left.
type budget struct {
	limit, ratio float64

	mu     sync.Mutex
	tokens float64
}

func newBudget(limit, ratio float64) *budget {
	return &budget{limit: limit, ratio: ratio, tokens: limit}
}

func (b *budget) succeeded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.tokens+b.ratio, b.limit)
}

// spend counts a failed attempt, and reports whether it may be repeated.
func (b *budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = max(b.tokens-1, 0)
	return b.tokens > b.limit/2
}
