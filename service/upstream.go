package service

import (
	"context"
	"errors"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// readError is the status of a read that failed. The write was not begun.
func readError(ctx context.Context, customer int64, err error) error {
	var failure *fluentcart.Error
	if !errors.As(err, &failure) {
		return newError(reasonStoreBadAnswer, stateNotSent, "the read failed", err)
	}
	if failure.Kind == fluentcart.NoAnswer && ctx.Err() != nil {
		return notSent(ctx.Err())
	}
	switch failure.Kind {
	case fluentcart.Suspended:
		return upstream(reasonStoreUnavailable, stateNotSent, "the store has failed too often just now, and is left alone for a moment; nothing was written", failure, retryInfo(failure))
	case fluentcart.NoAnswer, fluentcart.Broken:
		return upstream(reasonStoreUnavailable, stateNotSent, "the store did not answer the read properly; nothing was written", failure, retryInfo(failure))
	case fluentcart.BadAnswer:
		return upstream(reasonStoreBadAnswer, stateNotSent, "the store's answer to the read is not a customer; the operator should look at what --store-url points to", failure)
	}
	return storeSaidNo(ctx, customer, nil, stateNotSent, failure)
}

// outcomeOpen reports whether a write that failed may have happened, or may still happen (F20, F22).
func outcomeOpen(err error) bool {
	var failure *fluentcart.Error
	if !errors.As(err, &failure) {
		return true
	}
	switch failure.Kind {
	case fluentcart.NoAnswer, fluentcart.Broken, fluentcart.BadAnswer:
		return failure.Sent
	}
	return false
}

// writeError is the status of a write that failed.
func writeError(ctx context.Context, asked *merged, err error) error {
	var failure *fluentcart.Error
	if !errors.As(err, &failure) {
		return newError(reasonOutcomeUnknown, stateUnknown, unknownOutcome, err)
	}
	switch failure.Kind {
	case fluentcart.NotBegun:
		if cause := ctx.Err(); cause != nil {
			return notSent(cause)
		}
		return leaseExpired(failure)
	case fluentcart.NoAnswer, fluentcart.Broken, fluentcart.BadAnswer, fluentcart.Suspended:
		if failure.Sent {
			return outcomeUnknown(ctx, failure)
		}
		return upstream(reasonStoreUnavailable, stateNotSent, "the store could not be reached; nothing was written", failure, retryInfo(failure))
	case fluentcart.Unreachable, fluentcart.NotTrusted:
		return storeSaidNo(ctx, asked.customer.ID, asked, stateNotSent, failure)
	}
	return storeSaidNo(ctx, asked.customer.ID, asked, stateRejected, failure)
}

// unknownOutcome is told when the write was sent and no answer says what became of it.
const unknownOutcome = "the update was sent, and the store's answer does not say whether it was written; it may still be written: read the customer before sending again"

// gatewayFault is told when it is the gateway that fails while a write is on its way.
const gatewayFault = "internal error; whether the customer was written is not known: read it before sending again"

func outcomeUnknown(ctx context.Context, failure *fluentcart.Error) error {
	e := upstream(reasonOutcomeUnknown, stateUnknown, unknownOutcome, failure)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.code = codes.DeadlineExceeded
	}
	return e
}

// callerLeft is the status of a write that goes on without its caller.
func callerLeft(cause error) error {
	e := newError(reasonOutcomeUnknown, stateUnknown, unknownOutcome, cause)
	if errors.Is(cause, context.DeadlineExceeded) {
		e.code = codes.DeadlineExceeded
	}
	return e
}

// notSent is the status of a call that ended before its write was sent.
func notSent(cause error) error {
	if errors.Is(cause, context.Canceled) {
		return newError(reasonCancelled, stateNotSent, "the caller cancelled the call; nothing was written", cause)
	}
	return newError(reasonDeadlinePassed, stateNotSent, "the deadline passed before the update was sent; nothing was written", cause)
}

// storeSaidNo is the status of a refusal, or of a store that was not reached at all.
func storeSaidNo(ctx context.Context, customer int64, asked *merged, state string, failure *fluentcart.Error) error {
	switch failure.Kind {
	case fluentcart.Rejected:
		return upstream(reasonStoreRejected, state, storesWords("the store refused the update as a bad request", failure), failure)
	case fluentcart.Invalid:
		return refusedFields(asked, state, failure)
	case fluentcart.UserUpdateFailed:
		message := "the store could not update the linked WordPress user; nothing was written"
		if asked == nil {
			return upstream(reasonUserUpdateFailed, state, message, failure)
		}
		cause := likelyCause(asked)
		return upstream(reasonUserUpdateFailed, state, message+": "+cause, failure, precondition("WORDPRESS_USER", customer, cause))
	case fluentcart.NotFound:
		return upstream(reasonCustomerNotFound, state, "the store has no customer "+strconv.FormatInt(customer, 10), failure,
			&errdetails.ResourceInfo{ResourceType: "fluentcart.customer.v1.Customer", ResourceName: resourceName(customer), Description: "no such customer in the store"})
	case fluentcart.NoRoute:
		return upstream(reasonStoreRouteMissing, state, "the store has no such route: FluentCart is switched off there, or --store-url is not the address of the WordPress site", failure)
	case fluentcart.Unauthenticated, fluentcart.Forbidden:
		if who := auth.FromContext(ctx); who != nil && who.Store != nil {
			return accountRefused(state, failure)
		}
		return upstream(reasonStoreCredentials, state, "the store refused the gateway's own credentials; the operator must give it a working application password of a user who may manage customers", failure)
	case fluentcart.RateLimited:
		return upstream(reasonStoreRateLimited, state, "the store takes no more requests for now; nothing was written", failure, retryInfo(failure))
	case fluentcart.Unavailable, fluentcart.Unreachable:
		return upstream(reasonStoreUnavailable, state, "the store is not available; nothing was written", failure, retryInfo(failure))
	case fluentcart.Redirected:
		return upstream(reasonStoreRedirects, state, "the store redirects to another address, which is not followed; the operator must set --store-url to the final one (https, with or without www)", failure)
	case fluentcart.NotTrusted:
		return upstream(reasonStoreTLS, state, "the TLS connection to the store failed: its certificate is not trusted, or it does not speak TLS 1.2", failure)
	}
	return upstream(reasonStoreBadAnswer, state, "the store answered in a way the gateway does not know", failure)
}

// accountRefused is the status of a call in the name of a user of the store whom the store refused (F18).
func accountRefused(state string, failure *fluentcart.Error) error {
	if failure.Kind == fluentcart.Unauthenticated {
		return upstream(reasonStoreUnauthenticated, state, "the store does not know this user name and application password; nothing was written", failure)
	}
	return upstream(reasonStoreForbidden, state, "the store does not let this user manage customers; nothing was written", failure)
}

// refusedFields is the status of a 422. Only when the e-mail being taken is all that is wrong has it a code of
// its own.
func refusedFields(asked *merged, state string, failure *fluentcart.Error) error {
	violations := violationsOf(failure, asked)
	if len(failure.Fields) == 1 && failure.Fields[0].Rule == "exist" {
		return upstream(reasonEmailTaken, state, "another customer of the store has this e-mail address", failure, badRequest(violations))
	}
	if len(violations) == 0 {
		return upstream(reasonStoreValidation, state, storesWords("the store refused the update as invalid", failure), failure)
	}
	return upstream(reasonStoreValidation, state, "the store refused the update: "+summary(violations), failure, badRequest(violations))
}

// storesWords adds the store's own message, which is there only if it is a short plain text.
func storesWords(message string, failure *fluentcart.Error) string {
	if failure.Message == "" {
		return message
	}
	return message + ": " + failure.Message
}

// retryInfo says when to come back: when the store says, else in a second.
func retryInfo(failure *fluentcart.Error) *errdetails.RetryInfo {
	wait := failure.RetryAfter
	if wait <= 0 {
		wait = time.Second
	}
	return &errdetails.RetryInfo{RetryDelay: durationpb.New(wait)}
}
