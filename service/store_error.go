package service

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/protoadapt"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// storeError returns the error for a failed request to the store.
func storeError(reason apierror.Reason, state apierror.WriteState, message string, failure *fluentcart.Error, details ...protoadapt.MessageV1) *apierror.Error {
	return apierror.New(reason, state, message, details...).CausedBy(failure).Upstream(failure.Status, failure.Code)
}

// readError returns the error for a failed read. The write was not sent.
func readError(ctx context.Context, id int64, err error) error {
	failure, ok := errors.AsType[*fluentcart.Error](err)
	if !ok {
		return apierror.New(apierror.StoreBadAnswer, apierror.NotSent, "the read failed").CausedBy(err)
	}
	if failure.Kind == fluentcart.NoAnswer && ctx.Err() != nil {
		return notSent(ctx.Err())
	}
	switch failure.Kind {
	case fluentcart.Suspended:
		return storeError(apierror.StoreUnavailable, apierror.NotSent, "the store has failed too often just now, and is left alone for a moment; nothing was written", failure, apierror.RetryInfo(failure.RetryAfter))
	case fluentcart.NoAnswer, fluentcart.Broken:
		return storeError(apierror.StoreUnavailable, apierror.NotSent, "the store did not answer the read properly; nothing was written", failure, apierror.RetryInfo(failure.RetryAfter))
	case fluentcart.BadAnswer:
		return storeError(apierror.StoreBadAnswer, apierror.NotSent, badRead(failure), failure)
	}
	return refused(ctx, id, nil, apierror.NotSent, failure)
}

// isAmbiguous reports whether a write that failed may have been applied, or may still be applied (F20, F22, F25). Where
// nothing was read before the write, a later read has nothing to compare with: there the documented refusals are believed.
func isAmbiguous(merged *customer.Merged, err error) bool {
	failure, ok := errors.AsType[*fluentcart.Error](err)
	if !ok {
		return true
	}
	switch failure.Kind {
	case fluentcart.NoAnswer, fluentcart.Broken, fluentcart.BadAnswer:
		return failure.Sent
	case fluentcart.Unconfirmed:
		return merged.WasRead() || !isDocumented(failure)
	}
	return false
}

// isDocumented reports whether a refusal has a status that the documentation of the PUT lists, or one which says that the
// upstream has no such PUT (404, 405, 501).
func isDocumented(failure *fluentcart.Error) bool {
	switch failure.Status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusUnprocessableEntity, http.StatusLocked, http.StatusNotImplemented:
		return true
	}
	return false
}

// writeError returns the error for a failed write. ctx is the caller's.
func writeError(ctx context.Context, merged *customer.Merged, err error) error {
	failure, ok := errors.AsType[*fluentcart.Error](err)
	if !ok {
		return outcomeUnknown(nil).CausedBy(err)
	}
	if failure.Kind == fluentcart.Unconfirmed && !isAmbiguous(merged, err) {
		failure = failure.Refusal
	}
	switch failure.Kind {
	case fluentcart.NotBegun:
		if cause := ctx.Err(); cause != nil {
			return notSent(cause)
		}
		return leaseExpired(failure)
	case fluentcart.NoAnswer, fluentcart.Broken, fluentcart.BadAnswer, fluentcart.Suspended, fluentcart.Unconfirmed:
		if !failure.Sent && ctx.Err() != nil {
			return notSent(ctx.Err())
		}
		if failure.Sent {
			return outcomeUnknown(ctx.Err()).CausedBy(failure).Upstream(failure.Status, failure.Code)
		}
		return storeError(apierror.StoreUnavailable, apierror.NotSent, "the store could not be reached; nothing was written", failure, apierror.RetryInfo(failure.RetryAfter))
	case fluentcart.Unreachable, fluentcart.NotTrusted:
		return refused(ctx, merged.CustomerID(), merged, apierror.NotSent, failure)
	}
	return refused(ctx, merged.CustomerID(), merged, apierror.Rejected, failure)
}

// outcomeUnknown returns the error of a write that was sent and has no outcome. ended is the error of the caller's
// context, or nil.
func outcomeUnknown(ended error) *apierror.Error {
	e := apierror.New(apierror.WriteOutcomeUnknown, apierror.Unknown,
		"the update was sent, and the store's response does not say whether it was written; it may still be written: read the customer before sending again")
	if errors.Is(ended, context.DeadlineExceeded) {
		return e.DeadlineExceeded()
	}
	return e
}

// refused returns the error of a refusal, or of a store that could not be reached. merged is nil for a read.
func refused(ctx context.Context, id int64, merged *customer.Merged, state apierror.WriteState, failure *fluentcart.Error) error {
	switch failure.Kind {
	case fluentcart.Rejected:
		return storeError(apierror.StoreRejected, state, "the store refused the update as a bad request: either the customer does not exist, or the store does not accept a value", failure)
	case fluentcart.Invalid:
		return refusedFields(merged, state, failure)
	case fluentcart.UserUpdateFailed:
		message := "the store could not update the linked WordPress user; nothing was written"
		if merged == nil {
			return storeError(apierror.UserUpdateFailed, state, message, failure)
		}
		cause, detail := merged.WordPressUserFailure()
		return storeError(apierror.UserUpdateFailed, state, message+": "+cause, failure, detail)
	case fluentcart.NotFound:
		return storeError(apierror.CustomerNotFound, state, "the store has no customer "+strconv.FormatInt(id, 10), failure,
			&errdetails.ResourceInfo{ResourceType: "fluentcart.customer.v1.Customer", ResourceName: customer.ResourceName(id), Description: "no such customer in the store"})
	case fluentcart.NoRoute:
		return storeError(apierror.StoreRouteMissing, state, "the store has no such route: "+missingRoute(failure), failure)
	case fluentcart.MethodRefused:
		return methodRefused(state, failure)
	case fluentcart.Blocked:
		return blocked(state, failure)
	case fluentcart.Unauthenticated, fluentcart.Forbidden:
		return credentialsRefused(ctx, state, failure)
	case fluentcart.RateLimited:
		return storeError(apierror.StoreRateLimited, state, "the store accepts no more requests for now; nothing was written", failure, apierror.RetryInfo(failure.RetryAfter))
	case fluentcart.Unavailable, fluentcart.Unreachable:
		return storeError(apierror.StoreUnavailable, state, "the store is not available; nothing was written", failure, apierror.RetryInfo(failure.RetryAfter))
	case fluentcart.Redirected:
		if failure.Status == http.StatusNotModified { // no request of the gateway is conditional
			return storeError(apierror.StoreBadAnswer, state, "a cache in front of the store answered that the customer has not been modified (HTTP status 304), which the gateway did not ask; "+
				"nothing was written; the operator must exclude /wp-json/fluent-cart/ from the cache", failure)
		}
		return storeError(apierror.StoreRedirects, state, redirected(failure.Redirect), failure)
	case fluentcart.NotTrusted:
		return storeError(apierror.StoreTLS, state, "the TLS connection to the store failed: its certificate is not trusted, or it does not speak TLS 1.2; "+
			"the operator must correct the certificate, or name its CA with --store-ca; the log has the cause", failure)
	}
	return storeError(apierror.StoreBadAnswer, state, "the store, or a plug-in in it, or something in front of it refused the request (HTTP status "+strconv.Itoa(failure.Status)+
		"), and the response does not say why in a form that the gateway knows; nothing was written", failure)
}

// refusedFields returns the error of a 422 (F5): EMAIL_TAKEN if the only violation is that the e-mail is in use, else
// STORE_VALIDATION.
func refusedFields(merged *customer.Merged, state apierror.WriteState, failure *fluentcart.Error) error {
	violations := customer.RefusedFields(merged, failure.Fields)
	if len(failure.Fields) == 1 && failure.Fields[0].Rule == "exist" {
		return storeError(apierror.EmailTaken, state, customer.EmailTaken(merged), failure, apierror.BadRequest(violations))
	}
	if len(violations) == 0 {
		return storeError(apierror.StoreValidation, state, "the store refused the update as invalid", failure)
	}
	return storeError(apierror.StoreValidation, state, "the store refused the update: "+apierror.Summary(violations), failure, apierror.BadRequest(violations))
}
