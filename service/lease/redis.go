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
	// replyTimeout is how long Redis may take for a reply. After that a call fails with an *UnavailableError.
	replyTimeout = time.Second
	// pollInterval is how often a waiter asks whether the lease is free, in case the notification was lost.
	pollInterval = 200 * time.Millisecond
	// waiterTTL is how long a waiter that has stopped polling keeps its position in the queue.
	waiterTTL = 5 * pollInterval
	// grantTTL is how long the latest grant of a lease is remembered: longer than any call takes, which is 60 s at most.
	grantTTL = 2 * time.Minute
)

// RedisConfig configures a Redis locker. All gateways that serve one store need the same Store, Term and SettleTime.
type RedisConfig struct {
	// URL is the address of the server: redis://host:6379/0, or rediss:// for TLS. It may hold a user name, and no
	// password.
	URL string
	// Password returns the password; nil for none. It is called for each new connection, so that the password can be
	// replaced while the gateway runs.
	Password func() string
	// Store names the store. Gateways with the same Store share their leases.
	Store string
	// Term is how long after a lease was granted or renewed its write may begin.
	Term time.Duration
	// SettleTime is how long after its beginning a write may still be applied.
	SettleTime time.Duration
	// Limits bound the calls of this gateway that wait.
	Limits Limits
	// Logger receives changes of the server's status, and the leases that could not be released and expire.
	Logger *slog.Logger
}

// Redis is a Locker for several gateways that serve one store. If an owner does not release its lease, because it died
// or because the outcome of its write is unknown, the lease expires after Term plus SettleTime, or after the settle
// time given to Quarantine. Redis fails closed: no lease is granted while the server does not answer.
type Redis struct {
	client *redis.Client
	script scripts
	local  *Local // the queue within this gateway: only its first call waits in Redis
	cfg    RedisConfig
	prefix string

	mu       sync.Mutex
	waiters  map[string]chan struct{} // by token
	failure  error                    // of the latest failed request
	failedAt time.Time

	status   atomic.Pointer[UnavailableError] // of the latest poll; nil if leases are granted
	eviction atomic.Pointer[string]           // the server's policy; nil before the first poll

	releasing sync.WaitGroup
	stopping  chan struct{} // closed by Close; leases that are not released by then expire
	stopOnce  sync.Once
}

// NewRedis returns a Redis locker. It opens no connection. It returns an error if the URL is not valid.
func NewRedis(cfg RedisConfig) (*Redis, error) {
	options, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if username := options.Username; cfg.Password != nil {
		options.CredentialsProvider = func() (string, string) { return username, cfg.Password() }
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = replyTimeout, replyTimeout, replyTimeout
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1 // redisLease.request retries
	options.DialerRetries = 1
	options.PoolSize = 64
	options.ConnMaxIdleTime = 30 * time.Second // shorter than the idle timeout of usual load balancers
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	r := &Redis{
		client:   redis.NewClient(options),
		script:   newScripts(),
		local:    NewLocal(cfg.Limits),
		cfg:      cfg,
		prefix:   "fluentcart-gateway:{" + cfg.Store + "}:",
		waiters:  map[string]chan struct{}{},
		stopping: make(chan struct{}),
	}
	r.status.Store(&UnavailableError{Err: errNotPolled})
	return r, nil
}

// CheckURL returns an error if a RedisConfig.URL is not valid. The error does not repeat the URL, which may hold a
// password.
func CheckURL(url string) error {
	_, err := parseURL(url)
	return err
}

func parseURL(url string) (*redis.Options, error) {
	options, err := redis.ParseURL(url)
	switch {
	case err != nil:
		return nil, errors.New("must be a Redis address such as redis://host:6379/0, or rediss:// for TLS")
	case options.Password != "":
		return nil, errors.New("must not hold a password: it would be seen in the list of processes; give it in a file, with --redis-password-file")
	}
	return options, nil
}

// hold is the time after which a lease that is not released expires.
func (r *Redis) hold() time.Duration { return r.cfg.Term + r.cfg.SettleTime }

// Acquire waits for the customer's lease until ctx is done. Its error is the context's error, an *UnavailableError, or an
// admission.ErrOverloaded.
func (r *Redis) Acquire(ctx context.Context, customer int64, caller string) (Lease, error) {
	local, err := r.local.Acquire(ctx, customer, caller)
	if err != nil {
		return nil, err
	}
	lease := &redisLease{locker: r, local: local, customer: customer, token: rand.Text()}
	notified := r.addWaiter(lease.token)
	defer r.removeWaiter(lease.token)
	for {
		wait, err := lease.request(ctx)
		switch {
		case err != nil:
			// Redis may have granted the lease although the reply was lost.
			lease.abandon() //nolint:contextcheck // it outlives the context of a caller that leaves
			if own := contextError(ctx); own != nil {
				return nil, own
			}
			return nil, err
		case wait == 0:
			return lease, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-notified:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			lease.abandon() //nolint:contextcheck // as above
			return nil, ctx.Err()
		}
		timer.Stop()
	}
}

// Held returns the number of customers whose lease this process holds or waits for.
func (r *Redis) Held() int { return r.local.Held() }

// Admits is about this gateway's own queue: how many of its calls come before, or an admission.ErrOverloaded.
func (r *Redis) Admits(ctx context.Context, customer int64, caller string) (ahead int, err error) {
	return r.local.Admits(ctx, customer, caller)
}

// QueueLength returns how many calls of this process hold the customer's lease or wait for it.
func (r *Redis) QueueLength(customer int64) int { return r.local.QueueLength(customer) }

// LastGrant identifies the latest grant of the customer's lease by any gateway, or returns Held.
func (r *Redis) LastGrant(ctx context.Context, customer int64) (Grant, error) {
	within, cancel := context.WithTimeout(ctx, replyTimeout)
	defer cancel()
	key := (&redisLease{locker: r, customer: customer}).key
	last, err := r.script.lastGrant.Run(within, r.client, []string{key("lease"), key("last")}).Text()
	switch {
	case errors.Is(err, redis.Nil): // the script returned false
		return Held, nil
	case err != nil:
		return "", r.unavailable(err)
	}
	return Grant(last), nil
}

// addWaiter returns a channel that receives a value when the token is notified.
func (r *Redis) addWaiter(token string) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	notified := make(chan struct{}, 1)
	r.waiters[token] = notified
	return notified
}

func (r *Redis) removeWaiter(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiters, token)
}

// Run forwards Redis's notifications of released leases to the waiters until ctx is done. Without Run, a waiter sees a
// released lease only when it polls, after 200 ms at most. Run also polls the server's status, so that the wait for a
// server that has just restarted begins before the first caller arrives.
func (r *Redis) Run(ctx context.Context) {
	r.pollStatus(ctx)
	ticker := time.NewTicker(statusInterval)
	defer ticker.Stop()
	subscription := r.client.Subscribe(ctx, r.prefix+"released")
	defer subscription.Close() //nolint:errcheck // the connection is not needed any more
	messages := subscription.Channel()
	for {
		select {
		case <-ctx.Done():
			return
		case message := <-messages:
			r.notify(message.Payload)
		case <-ticker.C:
			r.pollStatus(ctx)
		}
	}
}

func (r *Redis) notify(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case r.waiters[token] <- struct{}{}: // for the token of another process the channel is nil, and never ready
	default:
	}
}

// Close waits until all released leases are free in Redis, at most until ctx is done, and closes the connections. The
// leases that are not free by then expire.
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
