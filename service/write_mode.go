package service

import (
	"context"
	"errors"
	"net/http"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// WriteMode is how a customer is written.
type WriteMode string

// The write modes.
const (
	// Merge reads the customer first and sends it back whole, with what the request names changed.
	Merge WriteMode = "merge"
	// Replace sends one PUT with only what the request names, for upstreams that only know PUT. A FluentCart store
	// clears everything else (F2).
	Replace WriteMode = "replace"
	// Atomic sends one request to the companion, a plug-in in the store, which merges in a transaction. While the store has
	// none, nothing is written.
	Atomic WriteMode = "atomic"
	// Auto is Atomic while the store has the companion, and Merge while it has none.
	Auto WriteMode = "auto"
)

// WriteModes lists all write modes.
func WriteModes() []WriteMode { return []WriteMode{Auto, Merge, Atomic, Replace} }

// Mode returns how customers are updated now: merge, replace or atomic. In a mode that wants the companion, problem says why it
// is not used.
func (s *Service) Mode() (mode WriteMode, problem string) {
	if s.writeMode == Merge || s.writeMode == Replace {
		return s.writeMode, ""
	}
	problem = s.companion.why()
	if problem == "" || s.writeMode == Atomic {
		return Atomic, problem
	}
	return Merge, problem
}

// NeedsLeases reports whether updates take the leases of their customers now.
func (s *Service) NeedsLeases() bool {
	mode, _ := s.Mode()
	return mode != Atomic || s.companion.isLeased()
}

// updater returns the way in which an update is made.
func (s *Service) updater(ctx context.Context, request *customerv1.UpdateCustomerRequest) (updater, error) {
	switch {
	case s.writeMode == Replace:
		return replace{s}, nil
	case s.writeMode == Merge, request.GetValidateOnly(): // a dry run only reads
		return readMergeWrite{s}, nil
	}
	if err := s.companion.awaitProbe(ctx); err != nil {
		return nil, notSent(err)
	}
	if way, ok := s.companion.updater(s); ok {
		return way, nil
	}
	switch {
	case s.writeMode == Atomic:
		return nil, companionMissing(s.companion.why())
	case !s.companion.awaitIdle(ctx, request.GetCustomerId()):
		return nil, apierror.New(apierror.StoreUnavailable, apierror.NotSent,
			"the WordPress companion has gone, and updates that it may still apply have not ended; nothing was written", apierror.RetryInfo(longestIdleWait))
	}
	return readMergeWrite{s}, nil
}

// maxWays bounds how often the way of one update changes.
const maxWays = 3

var (
	// errWayChanged is the error of an atomic update that was not sent, because the companion has gone, or come back, since it began.
	errWayChanged = errors.New("the way of updating has changed")
	// errUnsupported is the cause of an error of the companion that does not work on its store.
	errUnsupported = errors.New("the companion does not work on this store")
)

// update makes an update in its way, and in another one if the companion turns out to be gone, or to have come back. Nothing was
// written then.
func (s *Service) update(ctx context.Context, way updater, u *update) (response *customerv1.UpdateCustomerResponse, err error) {
	for range maxWays {
		response, err = way.update(ctx, u)
		switch failure, _ := errors.AsType[*fluentcart.Error](err); {
		case errors.Is(err, errUnsupported):
			s.missCompanion(ctx, companionRefuses)
		case failure != nil && failure.Method == http.MethodPost && failure.Kind == fluentcart.NoRoute && failure.FromWordPress:
			s.missCompanion(ctx, noCompanion)
		case !errors.Is(err, errWayChanged):
			return response, err
		}
		if way, err = s.updater(ctx, u.request); err != nil {
			return nil, err
		}
		u.early = nil // atomic updates have no leases by which a change since that read would show
	}
	return nil, contended()
}
