package lease

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
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
	// URL is the address of the server, such as redis://host:6379/0, or rediss:// for TLS. It may hold the name of a user.
	URL string
	// Password, if set, returns the password; it is asked with each connection.
	Password func() string
	// Store names the store; gateways of the same store share its leases.
	Store string
	// Term is how long after its beginning a lease allows a write to begin.
	Term time.Duration
	// SettleTime is how long after it has begun a write may still land.
	SettleTime time.Duration
	// Logger is told of leases that could not be released. They end by themselves.
	Logger *slog.Logger
}

// Redis is a Locker for several gateways in front of one store. A lease that its owner does not release, because it
// died or because a write of its has an unknown outcome, ends by itself after Term and SettleTime: that is the
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

	state atomic.Pointer[UnavailableError] // what the latest look found; nil if leases are given

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
	if username := options.Username; cfg.Password != nil {
		options.CredentialsProvider = func() (string, string) { return username, cfg.Password() }
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = answerTime, answerTime, answerTime
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1 // an answer that is lost is dealt with here
	options.DialerRetries = 1
	options.PoolSize = 64
	options.ConnMaxIdleTime = 30 * time.Second // shorter than what usual load balancers allow
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	r := &Redis{
		client:   redis.NewClient(options),
		script:   newScripts(),
		local:    NewLocal(),
		cfg:      cfg,
		prefix:   "fluentcart-gateway:{" + cfg.Store + "}:",
		waiting:  map[string]chan struct{}{},
		stopping: make(chan struct{}),
	}
	r.state.Store(&UnavailableError{Err: errNotAsked})
	return r, nil
}

// CheckURL returns what is wrong with the address of a server, without repeating it: it may hold a password.
func CheckURL(address string) error {
	_, err := parseURL(address)
	return err
}

func parseURL(address string) (*redis.Options, error) {
	options, err := redis.ParseURL(address)
	switch {
	case err != nil:
		return nil, errors.New("must be a Redis address such as redis://host:6379/0, or rediss:// for TLS")
	case options.Password != "":
		return nil, errors.New("must not hold a password: it would be seen in the list of processes; give it in a file, with --redis-password-file")
	}
	return options, nil
}

// hold is the life of a lease that nobody releases.
func (r *Redis) hold() time.Duration { return r.cfg.Term + r.cfg.SettleTime }

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

// Taken returns of how many customers this process holds the lease, or waits for it.
func (r *Redis) Held() int { return r.local.Held() }

// Line returns how many hold or wait for the customer's lease in this process.
func (r *Redis) QueueLength(customer int64) int { return r.local.QueueLength(customer) }

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
// takes longer. It also looks after the server, and so begins the wait for one that has just started before the first
// caller does.
func (r *Redis) Run(ctx context.Context) {
	r.look(ctx)
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	words := r.client.Subscribe(ctx, r.prefix+"released")
	defer words.Close() //nolint:errcheck // the connection is of no more use
	channel := words.Channel()
	for {
		select {
		case <-ctx.Done():
			return
		case word := <-channel:
			r.wake(word.Payload)
		case <-again.C:
			r.look(ctx)
		}
	}
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
