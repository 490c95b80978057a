package service

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// failureOf returns the failure of a request to the store, whatever its error is.
func failureOf(err error) *fluentcart.Error {
	if failure, ok := errors.AsType[*fluentcart.Error](err); ok {
		return failure
	}
	return &fluentcart.Error{Kind: fluentcart.BadAnswer, Method: http.MethodPost, Sent: true, Err: err}
}

// applyError returns the error of a request that the companion did not get, or about a customer that does not exist. Nothing
// was written.
func applyError(ctx context.Context, id int64, err error) error {
	failure := failureOf(err)
	if failure.Kind == fluentcart.NotBegun && ctx.Err() == nil {
		return leaseExpired(failure)
	}
	if !failure.Sent && ctx.Err() != nil {
		return notSent(ctx.Err())
	}
	if failure.Sent && failure.Kind != fluentcart.NotFound {
		return refused(ctx, id, nil, apierror.Rejected, failure)
	}
	return readError(ctx, id, failure)
}

// unwritable rejects an update of a customer that the companion cannot pass on to FluentCart.
func unwritable() error {
	return apierror.New(apierror.StoreBadAnswer, apierror.NotSent,
		"a text that the store holds of this customer is damaged, and writing the customer back could change it; nothing was written; the operator should correct it in the database")
}

// contended rejects an update whose customer changed each time between the answer of the companion and the next request, or
// which the database gave up for others.
func contended() error {
	return apierror.New(apierror.LeaseExpired, apierror.NotSent,
		"other updates of this customer came in between each time; nothing was written", apierror.RetryInfo(0))
}

// rolledBack returns the error of an update that the companion rolled back.
func rolledBack(answer *fluentcart.Answer) error {
	cause := errors.New("the companion rolled back: " + answer.Cause)
	switch answer.Cause {
	case fluentcart.CauseDeadlock:
		return contended()
	case fluentcart.CauseLockTimeout:
		return apierror.New(apierror.StoreUnavailable, apierror.Rejected, "another transaction in the store holds the customer for too long; nothing was written", apierror.RetryInfo(0)).
			CausedBy(cause)
	case fluentcart.CauseUnaskedChange:
		return apierror.New(apierror.StoreBadAnswer, apierror.Rejected, "the store, or a plug-in in it, also changed "+strings.Join(answer.Columns, ", ")+", which the request does not name; the update was rolled back, and nothing was written; "+
			"the operator can set --write-mode=merge, which accepts such changes with a warning").CausedBy(cause)
	case fluentcart.CauseUnsupported:
		return apierror.New(apierror.StoreRouteMissing, apierror.NotSent, companionRefuses+"; nothing was written; the operator finds the reasons in the log of the gateway, or can set --write-mode=merge").CausedBy(errUnsupported)
	}
	return apierror.New(apierror.StoreBadAnswer, apierror.Rejected, "a plug-in in the store ended the update, or its transaction; it was rolled back, and nothing was written; the operator can set --write-mode=merge").CausedBy(cause)
}

// companionMissing rejects an update in write mode atomic while the companion is not usable.
func companionMissing(problem string) error {
	if problem == notAsked {
		return apierror.New(apierror.StoreUnavailable, apierror.NotSent,
			"the store did not answer whether it has the WordPress companion; nothing was written", apierror.RetryInfo(missingInterval))
	}
	remedy := "install the plug-in deploy/wordpress/fluentcart-gateway.php"
	if strings.HasPrefix(problem, companionRefuses) {
		remedy = "end what it refuses, which the log of the gateway names"
	}
	return apierror.New(apierror.StoreRouteMissing, apierror.NotSent,
		problem+", and this gateway runs with --write-mode=atomic; nothing was written; the operator must "+remedy+", or set --write-mode=auto")
}
