package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// Whatever happens to Redis, no gateway writes without a lease that it holds for certain.
func TestNoWriteWithoutALeaseWhenRedisFails(t *testing.T) {
	rounds := 1
	if soaking(t) {
		rounds = 10
	}
	t.Parallel()
	customers := ids(10)
	p := startPair(t, len(customers))
	flush := func() {
		client := p.watch.client
		if err := client.FlushAll(t.Context()).Err(); err != nil {
			t.Error(err)
		}
	}
	for round := range rounds {
		for _, incident := range []struct {
			name   string
			happen func()
		}{
			{"killed and restarted empty", func() { p.redis.Kill(t); <-time.After(200 * time.Millisecond); p.redis.Restart(t) }},
			{"restarted at once", func() { p.redis.Restart(t) }},
			{"paused", func() { p.redis.Pause(t); <-time.After(1500 * time.Millisecond); p.redis.Resume(t) }},
			{"paused for longer than a lease lives", func() { p.redis.Pause(t); <-time.After(quickHold + 500*time.Millisecond); p.redis.Resume(t) }},
			{"flushed", flush},
			{"killed for longer than a lease lives", func() { p.redis.Kill(t); <-time.After(quickHold + time.Second); p.redis.Restart(t) }},
		} {
			p.underLoad(t, customers, func() {
				p.watch.redisLost()
				incident.happen()
				p.watch.redisBack()
				<-time.After(time.Duration(rand.IntN(300)) * time.Millisecond)
			})
			p.usable(t, fmt.Sprintf("round %d, %s", round, incident.name), customers, quickHold+slack)
		}
	}
	p.storm.judge(t, p.store)
	p.watch.judge(t)
}
