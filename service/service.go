package service

import (
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/admission"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
)

// Config is the configuration of a Service.
type Config struct {
	// Store is the store to read from and write to.
	Store *fluentcart.Client
	// WriteMode is how customers are written; empty is Merge. With Atomic and Auto, updates wait for the first probe of Watch.
	WriteMode WriteMode
	// Shared says that other gateways update the same store. With Auto, atomic updates take leases then, because another gateway
	// may not have found the companion.
	Shared bool
	// Leases give each customer one writer at a time; nil is lease.NewLocal with the limits of MaxQueue.
	Leases lease.Locker
	// MaxInFlight is how many calls, reads and updates, may use the store at once; 0 is 4, the workers of a usual store
	// (F24).
	MaxInFlight int
	// MaxQueue is how many calls may wait besides; 0 is 256. Further ones are rejected.
	MaxQueue int
	// SettleTime is how long after its first byte was sent a write may still be applied (F22); 0 is 30 s. A customer
	// with an in-doubt write is in quarantine for that long.
	SettleTime time.Duration
	// Logger receives the outcomes of writes whose callers are gone; nil discards them.
	Logger *slog.Logger
	// Metrics counts what became of updates; nil counts for nothing.
	Metrics *Metrics
}

// Service implements customerv1.CustomerServiceServer. It is safe for concurrent use.
type Service struct {
	customerv1.UnimplementedCustomerServiceServer

	store         *fluentcart.Client
	writeMode     WriteMode
	companion     *companion
	validator     *customer.Validator
	leases        lease.Locker
	settleTime    time.Duration
	logger        *slog.Logger
	reads, writes admission.LatencyEstimate // of one GET and one PUT

	gate *admission.Gate

	unverified    atomic.Int64 // calls whose store account is not verified
	maxUnverified int64
	verifying     chan struct{} // holds one token for each account verification in progress

	shedFull, shedLate atomic.Pointer[shedding] // because of the queue, and of deadlines

	metrics        *Metrics
	inFlight       inFlightWrites
	inDoubt        atomic.Int64
	urgentRequests chan struct{} // tokens of requests that show the outcome of a write whose caller waits
	orphanRequests chan struct{} // the same for a write whose caller is gone
}

// New returns a Service. It compiles the rules of the contract; it starts nothing.
func New(cfg Config) (*Service, error) {
	validator, err := customer.NewValidator()
	if err != nil {
		return nil, err
	}
	cfg.setDefaults()
	if !slices.Contains(WriteModes(), cfg.WriteMode) {
		return nil, fmt.Errorf("write mode %q: must be one of %q", cfg.WriteMode, WriteModes())
	}
	return &Service{
		store:          cfg.Store,
		writeMode:      cfg.WriteMode,
		companion:      newCompanion(&cfg),
		validator:      validator,
		leases:         cfg.Leases,
		settleTime:     cfg.SettleTime,
		logger:         cfg.Logger,
		metrics:        cfg.Metrics,
		gate:           admission.New(admission.Config{Slots: cfg.MaxInFlight, Queue: cfg.MaxQueue}),
		maxUnverified:  max(int64(cfg.MaxQueue)/8, 4),
		verifying:      make(chan struct{}, max(cfg.MaxInFlight/4, 1)),
		urgentRequests: make(chan struct{}, max(cfg.MaxInFlight/2, 1)),
		orphanRequests: make(chan struct{}, 1),
	}, nil
}

func (cfg *Config) setDefaults() {
	if cfg.WriteMode == "" {
		cfg.WriteMode = Merge
	}
	if cfg.MaxInFlight == 0 {
		cfg.MaxInFlight = 4
	}
	if cfg.MaxQueue == 0 {
		cfg.MaxQueue = 256
	}
	if cfg.Leases == nil {
		cfg.Leases = lease.NewLocal(lease.LimitsOf(cfg.MaxQueue))
	}
	if cfg.SettleTime == 0 {
		cfg.SettleTime = 30 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics()
	}
}

// Writes counts the writes without an outcome, with or without their callers.
type Writes struct {
	// InFlight is the number of all of them.
	InFlight int
	// InDoubt is the number of those whose response did not say whether they were applied. They are verified, or cancelled.
	InDoubt int
}

// Writes returns the writes without an outcome.
func (s *Service) Writes() Writes {
	return Writes{InFlight: s.inFlight.count(), InDoubt: int(s.inDoubt.Load())}
}

// Load returns how many calls are admitted, use a slot, and wait for one.
func (s *Service) Load() admission.Load { return s.gate.Load() }
