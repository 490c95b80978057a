package service

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/trace"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/admission"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/tracing"
)

// endWait ends the span of a wait for a lease or a slot. err is why the call got none, or nil.
func endWait(ctx context.Context, span trace.Span, err error) {
	if err != nil {
		tracing.Fail(span, waitFailure(ctx, err))
	}
	span.End()
}

// endVerify ends the span of the verification of a write, which is over once the customer is not in quarantine any more.
func endVerify(span trace.Span, state string) {
	span.SetAttributes(tracing.Outcome.String(state))
	if state == string(apierror.Unknown) {
		tracing.Fail(span, string(apierror.WriteOutcomeUnknown))
	}
	span.End()
}

// waitFailure names why a call got no lease or no slot, in one word.
func waitFailure(ctx context.Context, err error) string {
	_, unavailable := errors.AsType[*lease.UnavailableError](err)
	switch {
	case errors.Is(context.Cause(ctx), admission.ErrEvicted), errors.Is(err, admission.ErrEvicted):
		return "evicted"
	case errors.Is(err, admission.ErrLate), errors.Is(err, admission.ErrOverloaded):
		return "overloaded"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline_exceeded"
	case unavailable:
		return "leases_unavailable"
	}
	return "lease_lost"
}
