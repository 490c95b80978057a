package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/admission"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
)

// The gateway's own rejections. Nothing was sent to the store but, at most, the read.

func userLinkForbidden(linked int64) error {
	has := "is linked to no WordPress user"
	if linked > 0 {
		has = fmt.Sprintf("is linked to WordPress user %d", linked)
	}
	return apierror.New(apierror.UserLinkChangeForbidden, apierror.NotSent, fmt.Sprintf(
		"user_id: the customer %s, and this caller may not change that; send %d or leave user_id out (the operator can allow it, with --allow-user-link or to this caller alone)",
		has, linked))
}

// userLinkUnread is userLinkForbidden where the customer is not read. It must not advise to leave user_id out: the store
// then clears the link (F2).
func userLinkUnread() error {
	return apierror.New(apierror.UserLinkChangeForbidden, apierror.NotSent,
		"user_id: this gateway runs with --write-mode=replace and does not read the customer, so it cannot know whether this changes the link to a WordPress user; "+
			"a user_id other than 0 is refused unless the operator allows it with --allow-user-link, and an update without a user_id, or with 0, unlinks the customer")
}

func statusForbidden() error {
	return apierror.New(apierror.StatusChangeForbidden, apierror.NotSent,
		"status: the customer has another one, and this caller may not change it; leave status out (the operator can allow it to this caller)")
}

// statusUnread is statusForbidden where the customer is not read. There every update changes the status: the store
// clears one that is not sent (F2).
func statusUnread() error {
	return apierror.New(apierror.StatusChangeForbidden, apierror.NotSent,
		"status: this gateway runs with --write-mode=replace, where each update sets or clears the status, which this caller may not do (the operator can allow it to this caller)")
}

// tooLate rejects a call that its own deadline would cut off.
func tooLate() error {
	return apierror.New(apierror.DeadlinePassed, apierror.NotSent, "remaining deadline is shorter than the store's recent latency; nothing was written; retry with a longer deadline").
		LimitedBy(apierror.DeadlineLimit)
}

// Why calls would wait in vain.
const (
	queueFull     = "too many calls are waiting"
	evicted       = "evicted from the queue: this caller is over its fair share"
	waitsTooLong  = "calls that came before this one take so long that its deadline would pass"
	leasesAwaited = "too many updates of this customer, or of others that are being updated, are waiting"
	leaseTooLate  = "so many updates of this customer are waiting that this one's deadline would pass"
	rateReached   = "--store-rate does not allow this call in time"
	unverifiedMax = "too many callers with unverified store accounts are waiting"
)

// notAdmitted returns the limit because of which the gate rejects a call, and the text for it.
func notAdmitted(err error) (limit apierror.Limit, why string) {
	if errors.Is(err, admission.ErrLate) {
		return apierror.DeadlineLimit, waitsTooLong
	}
	return apierror.QueueLimit, queueFull
}

// overloaded rejects a call that would wait in vain.
func (s *Service) overloaded(limit apierror.Limit, why string) error {
	return rejection(limit, why, s.gate.RetryAfter())
}

func rejection(limit apierror.Limit, why string, retryAfter time.Duration) *apierror.Error {
	return apierror.New(apierror.Overloaded, apierror.NotSent, why+"; nothing was written", apierror.RetryInfo(retryAfter)).LimitedBy(limit)
}

func leasesUnavailable(cause *lease.UnavailableError) error {
	message := cause.Problem() + ", so another gateway may be updating this customer; nothing was written"
	if cause.Err == nil {
		message = "Redis has restarted, and leases that it may have lost have not ended yet; nothing was written"
	}
	return apierror.New(apierror.LeasesUnavailable, apierror.NotSent, message, apierror.RetryInfo(cause.RetryAfter)).CausedBy(cause)
}

// leaseExpired rejects the write of a customer that may have been read too long ago.
func leaseExpired(cause error) error {
	return apierror.New(apierror.LeaseExpired, apierror.NotSent,
		"waiting for the store took so long that another update of this customer may have begun; nothing was written",
		apierror.RetryInfo(0)).CausedBy(cause)
}

// notSent returns the error of a call that ended before a write was sent.
func notSent(cause error) error {
	if errors.Is(cause, context.Canceled) {
		return apierror.New(apierror.CallerCancelled, apierror.NotSent, "the caller cancelled the call; nothing was written").CausedBy(cause)
	}
	return apierror.New(apierror.DeadlinePassed, apierror.NotSent, "the deadline passed; nothing was written; retry with a longer deadline").CausedBy(cause)
}
