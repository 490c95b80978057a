package lease

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// lookAgain is the time between two looks at the server. Callers find out by themselves, with each lease; the looks are
// for those who ask whether there is any use in calling, and who keep callers away while there is none.
const lookAgain = time.Second

var errNotAsked = errors.New("it has not been asked yet")

// Unavailable returns why no leases are given, as of the latest look; nil if they are. It asks nobody.
func (r *Redis) Unavailable() *UnavailableError { return r.state.Load() }

// look learns whether the server gives leases, and says so in the log when that has changed.
func (r *Redis) look(ctx context.Context) {
	now := r.askServer(ctx)
	if ctx.Err() != nil {
		return
	}
	before := r.state.Swap(now)
	switch {
	case now.sameAs(before):
	case now == nil:
		if !errors.Is(before, errNotAsked) {
			r.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "Redis gives leases again")
		}
	case now.Err != nil:
		r.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "Redis does not answer; nothing is updated until it does", slog.String("error", now.Err.Error()))
	default:
		r.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "Redis has started anew and may have forgotten leases; nothing is updated until those have ended", slog.Duration("wait", now.RetryAfter))
	}
}

// sameAs reports whether an operator would be told the same of both.
func (e *UnavailableError) sameAs(other *UnavailableError) bool {
	if e == nil || other == nil {
		return e == other
	}
	return (e.Err == nil) == (other.Err == nil) && !errors.Is(other, errNotAsked)
}

func (r *Redis) askServer(ctx context.Context) *UnavailableError {
	within, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	answer, err := r.script.look.Run(within, r.client, []string{r.prefix + "server", r.prefix + "cold"}, r.hold().Milliseconds()).Slice()
	if err != nil {
		return &UnavailableError{Err: err}
	}
	state, left, err := readAnswer(answer)
	switch {
	case err != nil:
		return &UnavailableError{Err: err}
	case state == "cold":
		return &UnavailableError{RetryAfter: left}
	}
	return nil
}
