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

// redisLease is a place in the gateway's own line, and a token in Redis.
type redisLease struct {
	locker   *Redis
	place    Lease
	customer int64
	token    string
	asked    bool      // Redis may know the token
	since    time.Time // when the term began, at the latest: before Redis was asked
}

func (l *redisLease) key(kind string) string {
	return l.locker.prefix + kind + ":" + strconv.FormatInt(l.customer, 10)
}

// ask asks Redis for the lease. It returns 0 if it is held now, else how long to wait before asking again.
func (l *redisLease) ask(ctx context.Context) (time.Duration, error) {
	r := l.locker
	if err := r.silent(); err != nil {
		return 0, &UnavailableError{Err: err}
	}
	within, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	l.asked = true
	before := time.Now()
	answer, err := l.acquire(within)
	if err != nil && !isTimeout(err) && ended(ctx) == nil {
		// A connection that was idle may have been closed at its other end. To ask twice does no harm: the lease
		// knows the token.
		before = time.Now()
		answer, err = l.acquire(within)
	}
	if err != nil {
		r.failed(ctx, err)
		return 0, &UnavailableError{Err: err}
	}
	state, left, err := readAnswer(answer)
	switch {
	case err != nil:
		return 0, &UnavailableError{Err: err}
	case state == "cold":
		return 0, &UnavailableError{RetryAfter: left}
	case state == "wait":
		if left <= 0 || left > askAgain { // without a holder it is the turn of somebody else in line
			left = askAgain
		}
		return left, nil
	}
	l.since = before
	return 0, nil
}

// acquire runs the script once.
func (l *redisLease) acquire(ctx context.Context) ([]any, error) {
	r := l.locker
	return r.script.acquire.Run(ctx, r.client,
		[]string{l.key("lease"), l.key("line"), r.prefix + "server", r.prefix + "cold"},
		l.token, r.hold().Milliseconds(), waiterAlive.Milliseconds(), r.prefix+"waiter:",
	).Slice()
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// silent returns why Redis gave no answer just now. Those who wait in line then do not all find it out by themselves,
// one after another and each in its time.
func (r *Redis) silent() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.failedAt) > askAgain {
		return nil
	}
	return r.failure
}

// failed remembers that Redis gave no answer, unless it was the caller who did not wait for it.
func (r *Redis) failed(ctx context.Context, err error) {
	if ended(ctx) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failure, r.failedAt = err, time.Now()
}

// ended returns the context's error. A connection hears of the deadline a moment before the context does.
func ended(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

func readAnswer(answer []any) (state string, left time.Duration, err error) {
	if len(answer) == 2 {
		word, isText := answer[0].(string)
		milliseconds, isNumber := answer[1].(int64)
		if isText && isNumber {
			return word, time.Duration(milliseconds) * time.Millisecond, nil
		}
	}
	return "", 0, fmt.Errorf("an answer of the script that it does not give: %v", answer)
}

// Renew begins the term anew if a good part of it is over.
func (l *redisLease) Renew(ctx context.Context) error {
	if time.Since(l.since) < l.locker.cfg.Term/4 {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	before := time.Now()
	held, err := l.expireIn(within, l.locker.hold())
	if err != nil {
		if own := ended(ctx); own != nil {
			return own
		}
		return &UnavailableError{Err: err}
	}
	if !held {
		return ErrExpired
	}
	l.since = before
	return nil
}

// Check looks at the monotonic clock alone.
func (l *redisLease) Check() error {
	if time.Since(l.since) >= l.locker.cfg.Term {
		return ErrExpired
	}
	return nil
}

// Quarantine lets the lease end by itself when the write can no longer land. If Redis does not hear it, it ends a
// little later.
func (l *redisLease) Quarantine(landing time.Duration) {
	l.locker.releasing.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), answerTime)
		defer cancel()
		_, _ = l.expireIn(ctx, landing)
	})
}

func (l *redisLease) expireIn(ctx context.Context, life time.Duration) (held bool, err error) {
	kept, err := l.locker.script.expire.Run(ctx, l.locker.client, []string{l.key("lease")}, l.token, life.Milliseconds()).Int()
	return kept == 1, err
}

// Release frees the lease in Redis, and then hands the gateway's own place on.
func (l *redisLease) Release() {
	l.locker.releasing.Go(func() {
		err := l.release()
		l.place.Release()
		l.insist(err)
	})
}

// abandon is Release for one who may not even have the lease, and who does not let the next in line wait for it.
func (l *redisLease) abandon() {
	l.place.Release()
	if !l.asked {
		return
	}
	l.locker.releasing.Go(func() { l.insist(l.release()) })
}

// insist repeats a release that has failed, until it has worked or the lease has ended by itself.
func (l *redisLease) insist(err error) {
	r := l.locker
	end := time.Now().Add(r.hold())
	for pause := 50 * time.Millisecond; err != nil; pause = min(2*pause, time.Second) {
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-r.stopping:
			timer.Stop()
			end = time.Time{}
		}
		if time.Now().After(end) {
			r.cfg.Logger.LogAttrs(context.Background(), slog.LevelWarn, "a lease was not released in Redis; it ends by itself",
				slog.Int64("customer_id", l.customer), slog.String("error", withoutArguments(err)))
			return
		}
		err = l.release()
	}
}

func (l *redisLease) release() error {
	r := l.locker
	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	return r.script.release.Run(ctx, r.client, []string{l.key("lease"), l.key("line")}, l.token, r.prefix+"waiter:", r.prefix+"released").Err()
}
