package lease

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"
)

// statusInterval is the time between two polls of the server's status. A call learns the status from its own Acquire;
// the polls are for readiness, which keeps callers away while no leases are granted.
const statusInterval = time.Second

var errNotPolled = errors.New("the server has not been polled yet")

// Unavailable returns why no leases are granted, or nil if they are. It knows that from the latest poll, which was at most
// about two seconds ago, and sends nothing to Redis.
func (r *Redis) Unavailable() *UnavailableError { return r.status.Load() }

// pollStatus asks the server whether it grants leases, and logs a change.
func (r *Redis) pollStatus(ctx context.Context) {
	now := r.readStatus(ctx)
	if ctx.Err() != nil {
		return
	}
	if now == nil || now.Err == nil {
		r.readEviction(ctx)
	}
	before := r.status.Swap(now)
	switch {
	case now.sameAs(before):
	case now == nil:
		if !errors.Is(before, errNotPolled) {
			r.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "Redis grants leases again")
		}
	case now.Err != nil:
		r.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, now.Problem()+"; no customer is updated meanwhile", slog.String("error", withoutArguments(now.Err)))
	default:
		r.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "Redis has restarted and may have lost leases; no customer is updated until those have ended", slog.Float64("wait_seconds", now.RetryAfter.Seconds()))
	}
}

// unknownPolicy is the eviction policy of a server that does not say it.
const unknownPolicy = "unknown"

// EvictionPolicy returns how the server frees memory, as it was at the latest poll: "noeviction" if it never removes a lease
// before it expires, "unknown" if it does not say. A server without a limit of its memory evicts nothing, whatever its policy.
func (r *Redis) EvictionPolicy() string {
	if policy := r.eviction.Load(); policy != nil {
		return *policy
	}
	return unknownPolicy
}

// readEviction reads the eviction policy, and logs one that may remove leases. A second gateway could then write a customer
// at the same time.
func (r *Redis) readEviction(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, replyTimeout)
	defer cancel()
	memory, err := r.client.InfoMap(ctx, "memory").Result()
	if err != nil {
		return
	}
	policy := cmp.Or(memory["Memory"]["maxmemory_policy"], unknownPolicy)
	if before := r.eviction.Swap(&policy); before != nil && *before == policy {
		return
	}
	if policy != "noeviction" && policy != unknownPolicy {
		r.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "Redis may remove leases when its memory is full, and two gateways could write one customer; set maxmemory-policy noeviction",
			slog.String("policy", policy))
	}
}

// sameAs reports whether both would be logged with the same message.
func (e *UnavailableError) sameAs(other *UnavailableError) bool {
	if e == nil || other == nil {
		return e == other
	}
	return e.Problem() == other.Problem() && !errors.Is(other, errNotPolled)
}

func (r *Redis) readStatus(ctx context.Context) *UnavailableError {
	ctx, cancel := context.WithTimeout(ctx, replyTimeout)
	defer cancel()
	reply, err := r.script.status.Run(ctx, r.client, []string{r.prefix + "server", r.prefix + "cold"}, r.hold().Milliseconds()).Slice()
	if err != nil {
		return &UnavailableError{Err: err}
	}
	state, left, err := parseReply(reply)
	switch {
	case err != nil:
		return &UnavailableError{Err: err}
	case state == "cold":
		return &UnavailableError{RetryAfter: left}
	}
	return nil
}
