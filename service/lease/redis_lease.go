package lease

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"
)

// redisLease is a lease of the gateway's own queue, together with a token in Redis.
type redisLease struct {
	locker   *Redis
	local    Lease
	customer int64
	token    string
	sent     bool      // Redis may know the token
	previous Grant     // the grant before this one
	since    time.Time // the term's beginning: taken before the request, and so never too late
}

func (l *redisLease) key(kind string) string {
	return l.locker.prefix + kind + ":" + strconv.FormatInt(l.customer, 10)
}

// request asks Redis for the lease once. It returns 0 if the lease is granted, else the time until the next request.
func (l *redisLease) request(ctx context.Context) (time.Duration, error) {
	r := l.locker
	if err := r.recentFailure(); err != nil {
		return 0, r.unavailable(err)
	}
	within, cancel := context.WithTimeout(ctx, replyTimeout)
	defer cancel()
	l.sent = true
	before := time.Now()
	reply, err := l.runAcquire(within)
	if err != nil && !isTimeout(err) && contextError(ctx) == nil {
		// Redis, or a proxy, may have closed a connection that was idle. A second request is harmless: Redis recognises
		// the token.
		before = time.Now()
		reply, err = l.runAcquire(within)
	}
	if err != nil {
		r.recordFailure(ctx, err)
		return 0, r.unavailable(err)
	}
	state, left, err := parseReply(reply)
	switch {
	case err != nil:
		return 0, &UnavailableError{Err: err}
	case state == "cold":
		return 0, &UnavailableError{RetryAfter: left}
	case state == "wait":
		if left <= 0 || left > pollInterval { // a free lease has no TTL: another waiter is first in the queue
			left = pollInterval
		}
		return left, nil
	}
	l.since = before
	if len(reply) > 2 {
		previous, _ := reply[2].(string)
		l.previous = Grant(previous)
	}
	return 0, nil
}

func (l *redisLease) runAcquire(ctx context.Context) ([]any, error) {
	r := l.locker
	return r.script.acquire.Run(ctx, r.client,
		[]string{l.key("lease"), l.key("queue"), r.prefix + "server", r.prefix + "cold", l.key("last")},
		l.token, r.hold().Milliseconds(), waiterTTL.Milliseconds(), r.prefix+"waiter:", grantTTL.Milliseconds(),
	).Slice()
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// recentFailure returns the error of a request that failed during the last pollInterval, so that a call fails at once. Without
// it, the calls of a queue would wait for a timeout each, one after another.
func (r *Redis) recentFailure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.failedAt) > pollInterval {
		return nil
	}
	return r.failure
}

// recordFailure keeps the error for recentFailure, unless the request failed because its own context ended.
func (r *Redis) recordFailure(ctx context.Context, err error) {
	if contextError(ctx) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failure, r.failedAt = err, time.Now()
}

// contextError returns the context's error. It compares the deadline with the clock, because a connection reports the
// deadline a moment before the context does.
func contextError(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// parseReply reads the reply of a script: a state, and a time in milliseconds.
func parseReply(reply []any) (state string, left time.Duration, err error) {
	if len(reply) >= 2 {
		text, isText := reply[0].(string)
		milliseconds, isNumber := reply[1].(int64)
		if isText && isNumber {
			return text, time.Duration(milliseconds) * time.Millisecond, nil
		}
	}
	return "", 0, fmt.Errorf("the reply of the script must be a state and milliseconds, and is %v", reply)
}

// Renew restarts the term if at least a quarter of it has passed. Otherwise it sends nothing, so it is cheap to call often.
func (l *redisLease) Renew(ctx context.Context) error {
	if time.Since(l.since) < l.locker.cfg.Term/4 {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, replyTimeout)
	defer cancel()
	before := time.Now()
	held, err := l.expireIn(within, l.locker.hold())
	if err != nil {
		if own := contextError(ctx); own != nil {
			return own
		}
		return l.locker.unavailable(err)
	}
	if !held {
		return ErrExpired
	}
	l.since = before
	return nil
}

// Check compares the monotonic clock with the end of the term.
func (l *redisLease) Check() error {
	if time.Since(l.since) >= l.locker.cfg.Term {
		return ErrExpired
	}
	return nil
}

// Follows compares the grant with the one that Redis knew before this lease.
func (l *redisLease) Follows(grant Grant) bool { return l.previous == grant }

// Quarantine lets the lease expire after settleTime. If the request fails, the lease expires a little later, at the time
// that was set when it was granted or renewed.
func (l *redisLease) Quarantine(settleTime time.Duration) {
	l.local.Quarantine(settleTime)
	l.locker.releasing.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), replyTimeout)
		defer cancel()
		_, _ = l.expireIn(ctx, settleTime)
	})
}

func (l *redisLease) expireIn(ctx context.Context, life time.Duration) (held bool, err error) {
	kept, err := l.locker.script.expire.Run(ctx, l.locker.client, []string{l.key("lease")}, l.token, life.Milliseconds()).Int()
	return kept == 1, err
}

// Release frees the lease in Redis, and then the lease of the gateway's own queue.
func (l *redisLease) Release() {
	l.locker.releasing.Go(func() {
		err := l.release()
		l.local.Release()
		l.retryRelease(err)
	})
}

// abandon gives up a request that may or may not have been granted. Unlike Release, it passes the lease of the gateway's own
// queue on at once: the next waiter does not wait for Redis.
func (l *redisLease) abandon() {
	l.local.Release()
	if !l.sent {
		return
	}
	l.locker.releasing.Go(func() { l.retryRelease(l.release()) })
}

// retryRelease repeats a failed release until it succeeds or the lease has expired.
func (l *redisLease) retryRelease(err error) {
	r := l.locker
	end := time.Now().Add(r.hold())
	for pause := 50 * time.Millisecond; err != nil; pause = min(2*pause, time.Second) {
		if !r.pauseUnlessStopping(pause) || time.Now().After(end) {
			r.cfg.Logger.LogAttrs(context.Background(), slog.LevelWarn, "a lease could not be released in Redis; it expires",
				slog.Int64("customer_id", l.customer), slog.String("error", withoutArguments(err)))
			return
		}
		err = l.release()
	}
}

// pauseUnlessStopping pauses, and reports false at once when the locker is closed.
func (r *Redis) pauseUnlessStopping(pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.stopping:
		return false
	}
}

// release removes the token from Redis once.
func (l *redisLease) release() error {
	r := l.locker
	ctx, cancel := context.WithTimeout(context.Background(), replyTimeout)
	defer cancel()
	return r.script.release.Run(ctx, r.client, []string{l.key("lease"), l.key("queue")}, l.token, r.prefix+"waiter:", r.prefix+"released").Err()
}
