package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// bench is one run.
type bench struct {
	gateway string
	rounds  int
	calls   int
	quick   bool
	page    string
}

const (
	// inFlight is how many calls a load keeps in flight, and how many the gateway lets through to the store.
	inFlight = 16
	// queue is the gateway's queue. For the rejections it is full.
	queue = 1024
)

// subject is a program under measurement, and the load that it gets.
type subject struct {
	name   string
	most   float64  // the aim: CPU time per call, to that of the bare handler
	server *process // nil for a gateway that is started, and its queue filled, for each measurement
	load   load
}

// measurements are the results of a run.
type measurements struct {
	subjects []subject
	costs    [][]float64 // by subject and round: CPU time of the server for one call, in seconds

	observed observed

	byInFlight   map[int]float64    // throughput of the gRPC server in calls a second, by calls in flight
	byProcessors map[int]float64    // the same, by GOMAXPROCS
	memory       map[string]float64 // peak resident memory with 1,000 calls in flight, in MiB, by transport
	wallTime     map[string]float64 // of one update at a time, to that of a GET and a PUT without a gateway, by write mode
}

// measure runs all programs at once, each idle while another is measured.
func (b *bench) measure(ctx context.Context) (*measurements, error) {
	group, err := newProcesses()
	if err != nil {
		return nil, err
	}
	defer group.stop()
	subjects, err := b.subjects(ctx, group)
	if err != nil {
		return nil, err
	}
	m := &measurements{subjects: subjects, costs: make([][]float64, len(subjects))}
	for round := range b.rounds + 1 {
		for i, s := range subjects {
			cost, err := b.cost(ctx, group, s)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			if round > 0 { // the first is the warm-up
				m.costs[i] = append(m.costs[i], cost)
			}
		}
	}
	if m.observed, err = b.observe(ctx, group); err != nil {
		return nil, err
	}
	if b.quick {
		return m, nil
	}
	if m.byInFlight, err = b.byInFlight(ctx, group, subjects[gRPCServer].load); err != nil {
		return nil, err
	}
	if m.byProcessors, err = b.byProcessors(ctx); err != nil {
		return nil, err
	}
	if m.wallTime, err = b.wallTime(ctx, group); err != nil {
		return nil, err
	}
	m.memory, err = b.memory(ctx)
	return m, err
}

// gRPCServer is the position of the gRPC server in the subjects. The bare handler is the first.
const gRPCServer = 1

// ratios returns the CPU time per call of a subject to that of the bare handler, by round.
func (m *measurements) ratios(subject int) []float64 {
	ratios := make([]float64, len(m.costs[subject]))
	for round := range ratios {
		ratios[round] = m.costs[subject][round] / m.costs[0][round]
	}
	return ratios
}

// slack is how far beyond its aim a subject may be before check fails: other programs of the machine disturb a run.
const slack = 1.3

// check returns an error for each subject that is far beyond its aim.
func (m *measurements) check() error {
	var faults []error
	for i, s := range m.subjects {
		if ratio := median(m.ratios(i)); s.most > 0 && ratio > slack*s.most {
			faults = append(faults, fmt.Errorf("%s takes %.2f of the bare handler's CPU time, want at most %.2f", s.name, ratio, slack*s.most))
		}
	}
	if m.observed.share > slack*mostObserved {
		faults = append(faults, fmt.Errorf("metrics and traces take %.3f of the CPU time of the gateway, want at most %.3f", m.observed.share, slack*mostObserved))
	}
	return errors.Join(faults...)
}

// subjects starts the store and the programs in front of it.
func (b *bench) subjects(ctx context.Context, group *processes) ([]subject, error) {
	store, err := group.self(ctx, "store")
	if err != nil {
		return nil, err
	}
	bare, err := group.self(ctx, "bare", "-store", store.json)
	if err != nil {
		return nil, err
	}
	vanguard, err := group.self(ctx, "vanguard", "-store", store.json)
	if err != nil {
		return nil, err
	}
	gateway, err := group.startGateway(ctx, b.gateway, store.json, modeMerge)
	if err != nil {
		return nil, err
	}
	atomicGateway, err := group.startGateway(ctx, b.gateway, store.json, modeAtomic)
	if err != nil {
		return nil, err
	}
	return []subject{
		{"bare handler", 1, bare, load{JSON: bare.json}},
		{"gRPC server", 1, gateway, load{GRPC: gateway.grpc}},
		{"HTTP/JSON gateway", 1.25, gateway, load{JSON: gateway.json}},
		{"gRPC server, atomic mode", 0.75, atomicGateway, load{GRPC: atomicGateway.grpc}},
		{"HTTP/JSON gateway, atomic mode", 1.00, atomicGateway, load{JSON: atomicGateway.json}},
		{"vanguard-go, a PUT without a GET", 0, vanguard, load{GRPC: vanguard.json}},
		{"rejection by the gRPC server", 0.3, nil, load{GRPC: "full", Rejected: true}},
		{"rejection by the HTTP/JSON gateway", 0.35, nil, load{JSON: "full", Rejected: true}},
	}, nil
}

// cost sends the load, and returns the CPU time that each call took in the server.
func (b *bench) cost(ctx context.Context, group *processes, s subject) (float64, error) {
	s.load.InFlight, s.load.Calls = inFlight, b.calls
	if s.load.Rejected {
		own, err := newProcesses()
		if err != nil {
			return 0, err
		}
		defer own.stop()
		if s.server, err = b.fullGateway(ctx, own); err != nil {
			return 0, err
		}
		if s.load.GRPC != "" {
			s.load.GRPC = s.server.grpc
		} else {
			s.load.JSON = s.server.json
		}
		warmUp := s.load
		warmUp.Calls = min(b.calls, 2000)
		if _, err := own.send(ctx, warmUp); err != nil {
			return 0, err
		}
	}
	before, err := s.server.cpu()
	if err != nil {
		return 0, err
	}
	if _, err := group.send(ctx, s.load); err != nil {
		return 0, err
	}
	after, err := s.server.cpu()
	return (after - before) / float64(s.load.Calls), err
}

// fullGateway starts a gateway whose store does not answer, and fills its queue.
func (b *bench) fullGateway(ctx context.Context, group *processes) (*process, error) {
	store, err := group.self(ctx, "store", "-latency", limit.String())
	if err != nil {
		return nil, err
	}
	gateway, err := group.startGateway(ctx, b.gateway, store.json, modeMerge, "--get-timeout=30s", "--drain-timeout=1m")
	if err != nil {
		return nil, err
	}
	return gateway, fill(ctx, gateway.grpc)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// startTimeout is how long a process may take until it serves.
const startTimeout = 10 * time.Second
