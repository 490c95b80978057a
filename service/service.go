// Package service implements fluentcart.customer.v1.CustomerService over a FluentCart store.
//
// The store's own call replaces a whole customer. UpdateCustomer takes the customer's lease, reads, merges what the
// request names, writes once, and compares what was kept with what was asked: what is not named stays as it is, and the
// answer says truthfully whether the write happened. Where the store does not tell, it is found out by reading again.
// Two things are beyond it: a store of full names parts them anew with every write (F11; a warning tells), and a writer
// that does not come through the gateway can come between the read and the write (F23).
// What the store does is quoted as F1 to F24 from fluentcart/BEHAVIOUR.md.
package service

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"buf.build/go/protovalidate"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/admission"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
)

// WriteMode is how a customer is written.
type WriteMode string

// The write modes.
const (
	// Merge reads the customer first and sends it back whole, with what the request names changed.
	Merge WriteMode = "merge"
	// Replace sends one PUT with just what the request names, for upstreams that only know PUT. A FluentCart
	// store clears all else (F2).
	Replace WriteMode = "replace"
)

// Config is what a Service needs to know.
type Config struct {
	// Store is the store to read from and write to.
	Store *fluentcart.Client
	// WriteMode is how customers are written; empty is Merge.
	WriteMode WriteMode
	// Leases give each customer one writer at a time; nil is lease.NewLocal.
	Leases lease.Locker
	// MaxInFlight is how many calls may work on the store at once, 4 if it is 0: the workers of a usual store (F24).
	MaxInFlight int
	// MaxQueue is how many calls may wait besides, 256 if it is 0; what comes on top is refused.
	MaxQueue int
	// SettleTime is how long after it has begun a write may still land (F22), 30 s if it is 0. For so long nobody else
	// gets a customer of whom it is not known whether a write happened.
	SettleTime time.Duration
	// Logger is told what became of writes whose callers have left; nil discards it.
	Logger *slog.Logger
}

// Service implements customerv1.CustomerServiceServer. It is safe for concurrent use.
type Service struct {
	customerv1.UnimplementedCustomerServiceServer

	store         *fluentcart.Client
	writeMode     WriteMode
	validator     protovalidate.Validator
	leases        lease.Locker
	settleTime    time.Duration
	gate          *admission.Gate
	maxLine       int // how many may want one customer: whose lease is long in coming must not fill the queue
	logger        *slog.Logger
	reads, writes admission.LatencyEstimate // how long one of the store's calls takes
	unfinished    unfinished
	inDoubt       atomic.Int64  // writes that were sent, and of which it is not known whether they happened
	looking       chan struct{} // those who look for a write that a caller waits for
	lookingAlone  chan struct{} // those who look for one that nobody waits for
	inLine        atomic.Int64  // those who wait for a lease
	maxInLine     int64
	strangers     atomic.Int64 // calls whose accounts the store has yet to be asked about
	maxStrangers  int64
	introducing   chan struct{} // those who ask it
}

// New returns a Service. It compiles the rules of the contract once; it starts nothing.
func New(cfg Config) (*Service, error) {
	validator, err := protovalidate.New(
		protovalidate.WithMessages(&customerv1.UpdateCustomerRequest{}),
		protovalidate.WithDisableLazy(),
	)
	if err != nil {
		return nil, fmt.Errorf("compile the contract's rules: %w", err)
	}
	switch cfg.WriteMode {
	case "":
		cfg.WriteMode = Merge
	case Merge, Replace:
	default:
		return nil, fmt.Errorf("write mode %q: must be %q or %q", cfg.WriteMode, Merge, Replace)
	}
	cfg.fillIn()
	return &Service{
		store:        cfg.Store,
		writeMode:    cfg.WriteMode,
		validator:    validator,
		leases:       cfg.Leases,
		settleTime:   cfg.SettleTime,
		maxLine:      max(cfg.MaxQueue/4, 8),
		gate:         admission.New(admission.Config{Slots: cfg.MaxInFlight, Queue: cfg.MaxQueue}),
		logger:       cfg.Logger,
		looking:      make(chan struct{}, max(cfg.MaxInFlight/2, 1)),
		lookingAlone: make(chan struct{}, 1),
		maxInLine:    max(int64(cfg.MaxQueue)/2, 8),
		maxStrangers: max(int64(cfg.MaxQueue)/8, 4),
		introducing:  make(chan struct{}, max(cfg.MaxInFlight/4, 1)),
	}, nil
}

// fillIn sets what is left out.
func (cfg *Config) fillIn() {
	if cfg.Leases == nil {
		cfg.Leases = lease.NewLocal()
	}
	if cfg.MaxInFlight == 0 {
		cfg.MaxInFlight = 4
	}
	if cfg.MaxQueue == 0 {
		cfg.MaxQueue = 256
	}
	if cfg.SettleTime == 0 {
		cfg.SettleTime = 30 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
}

// Writes are those that are on their way, with or without their callers.
type Writes struct {
	// InFlight is all of them.
	InFlight int
	// InDoubt is those of which the store's answer does not say whether they happened: nobody else gets their customers.
	InDoubt int
}

// Writes returns how many writes are on their way.
func (s *Service) Writes() Writes {
	return Writes{InFlight: s.unfinished.count(), InDoubt: int(s.inDoubt.Load())}
}

// Load returns how much is in use: calls inside, at work, and waiting to be.
func (s *Service) Load() admission.Load { return s.gate.Load() }
