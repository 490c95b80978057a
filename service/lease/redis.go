package lease

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// answerTime is how long Redis may take to answer. A call that finds it silent is refused.
	answerTime = time.Second
	// askAgain is how often one who waits asks whether it is its turn, should the word of it be lost.
	askAgain = 200 * time.Millisecond
	// waiterAlive is how long one who waits keeps its place without asking.
	waiterAlive = 5 * askAgain
)

// RedisConfig is what a Redis locker needs to know. All gateways in front of one store must agree on it.
type RedisConfig struct {
	// URL is the address of the server, such as redis://user:password@host:6379/0, or rediss:// for TLS.
	URL string
	// Store names the store; gateways of the same store share its leases.
	Store string
	// Term is how long after its beginning a lease allows a write to begin.
	Term time.Duration
	// MaxLanding is how long after it has begun a write may still land.
	MaxLanding time.Duration
	// Logger is told of leases that could not be released. They end by themselves.
	Logger *slog.Logger
}

// Redis is a Locker for several gateways in front of one store. A lease that its owner does not release, because it
// died or because a write of its has an unknown outcome, ends by itself after Term and MaxLanding: that is the
// quarantine. It fails closed: as long as Redis does not answer, nobody gets a lease.
type Redis struct {
	client *redis.Client
	script scripts
	local  *Local // the gateway's own line: only its first waits in Redis
	cfg    RedisConfig
	prefix string

	mu       sync.Mutex
	waiting  map[string]chan struct{} // by token
	failure  error                    // of the latest question, if it had no answer
	failedAt time.Time

	releasing sync.WaitGroup
	stopping  chan struct{} // closed by Close: what is not released by then ends by itself
	stopOnce  sync.Once
}

// NewRedis returns a Redis locker. It connects to nothing yet.
func NewRedis(cfg RedisConfig) (*Redis, error) {
	options, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = answerTime, answerTime, answerTime
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1 // an answer that is lost is dealt with here
	options.DialerRetries = 1
	options.PoolSize = 64
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &Redis{
		client:   redis.NewClient(options),
		script:   newScripts(),
		local:    NewLocal(),
		cfg:      cfg,
		prefix:   "fluentcart-gateway:{" + cfg.Store + "}:",
		waiting:  map[string]chan struct{}{},
		stopping: make(chan struct{}),
	}, nil
}

// CheckURL returns what is wrong with the address of a server, without repeating it: it may hold a password.
func CheckURL(address string) error {
	_, err := parseURL(address)
	return err
}

func parseURL(address string) (*redis.Options, error) {
	options, err := redis.ParseURL(address)
	if err != nil {
		return nil, errors.New("must be a Redis address such as redis://host:6379/0, or rediss:// for TLS")
	}
	return options, nil
}

// hold is the life of a lease that nobody releases.
func (r *Redis) hold() time.Duration { return r.cfg.Term + r.cfg.MaxLanding }

// Acquire waits for the customer's lease until ctx is done.
func (r *Redis) Acquire(ctx context.Context, customer int64) (Lease, error) {
	place, err := r.local.Acquire(ctx, customer)
	if err != nil {
		return nil, err
	}
	lease := &redisLease{locker: r, place: place, customer: customer, token: rand.Text()}
	turn := r.await(lease.token)
	defer r.forget(lease.token)
	for {
		wait, err := lease.ask(ctx)
		switch {
		case err != nil:
			// The question may have arrived, and only the answer be lost.
			lease.abandon() //nolint:contextcheck // it outlives a caller who leaves
			if own := ended(ctx); own != nil {
				return nil, own
			}
			return nil, err
		case wait == 0:
			return lease, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-turn:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			lease.abandon() //nolint:contextcheck // as above
			return nil, ctx.Err()
		}
		timer.Stop()
	}
}

// Line returns how many hold or wait for the customer's lease in this process.
func (r *Redis) Line(customer int64) int { return r.local.Line(customer) }

// await returns a channel that is told when it is the token's turn.
func (r *Redis) await(token string) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	turn := make(chan struct{}, 1)
	r.waiting[token] = turn
	return turn
}

func (r *Redis) forget(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, token)
}

// Run passes on the word that a lease is free, until ctx is done. Without it leases are found out by asking, which
// takes longer. It also begins the wait for a server that has just started, before the first caller does.
func (r *Redis) Run(ctx context.Context) {
	if cold, err := r.askServer(ctx); err != nil {
		r.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "Redis does not answer; nothing is updated until it does", slog.String("error", err.Error()))
	} else if cold > 0 {
		r.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "Redis has started anew and may have forgotten leases; nothing is updated until those have ended", slog.Duration("wait", cold))
	}
	words := r.client.Subscribe(ctx, r.prefix+"released")
	defer words.Close() //nolint:errcheck // the connection is of no more use
	channel := words.Channel()
	for {
		select {
		case <-ctx.Done():
			return
		case word := <-channel:
			r.wake(word.Payload)
		}
	}
}

// askServer takes a lease that is nobody's, to learn whether the server has started anew, and for how long it gives
// no leases then.
func (r *Redis) askServer(ctx context.Context) (cold time.Duration, err error) {
	lease, err := r.Acquire(ctx, 0)
	var unavailable *UnavailableError
	switch {
	case err == nil:
		lease.Release()
	case errors.As(err, &unavailable) && unavailable.Err == nil:
		return unavailable.RetryAfter, nil
	}
	return 0, err
}

func (r *Redis) wake(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case r.waiting[token] <- struct{}{}: // a nil channel, somebody else's token, is never ready
	default:
	}
}

// Close waits until all leases that were released are free in Redis too, at most until ctx is done, and closes the
// connections. What is not free by then ends by itself.
func (r *Redis) Close(ctx context.Context) error {
	released := make(chan struct{})
	go func() {
		r.releasing.Wait()
		close(released)
	}()
	select {
	case <-released:
	case <-ctx.Done():
	}
	r.stopOnce.Do(func() { close(r.stopping) })
	<-released
	return r.client.Close()
}

// redisLease is a place in the gateway's own line, and a token in Redis.
type redisLease struct {
	locker   *Redis
	place    Lease
	customer int64
	token    string
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
	before := time.Now()
	answer, err := r.script.acquire.Run(within, r.client,
		[]string{l.key("lease"), l.key("line"), r.prefix + "server", r.prefix + "cold"},
		l.token, r.hold().Milliseconds(), waiterAlive.Milliseconds(), r.prefix+"waiter:",
	).Slice()
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
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	before := time.Now()
	held, err := l.expireIn(ctx, l.locker.hold())
	if err != nil {
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
				slog.Int64("customer_id", l.customer), slog.String("error", err.Error()))
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
