package main

import (
	"context"
	"fmt"
	"os"
)

// byInFlight returns the throughput for each number of calls in flight, as the median of three.
func (b *bench) byInFlight(ctx context.Context, group *processes, l load) (map[int]float64, error) {
	result := map[int]float64{}
	for _, l.InFlight = range []int{16, 100, 1000} {
		rate, err := b.throughput(ctx, group, l)
		if err != nil {
			return nil, fmt.Errorf("%d calls in flight: %w", l.InFlight, err)
		}
		result[l.InFlight] = rate
	}
	return result, nil
}

// byProcessors returns the throughput of a gateway with one and with two processors.
func (b *bench) byProcessors(ctx context.Context) (map[int]float64, error) {
	result := map[int]float64{}
	for _, processors := range []int{1, 2} {
		group, err := newProcesses()
		if err != nil {
			return nil, err
		}
		defer group.stop()
		store, err := group.self(ctx, "store")
		if err != nil {
			return nil, err
		}
		group.environment = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", processors))
		gateway, err := group.startGateway(ctx, b.gateway, store.json, modeMerge)
		if err != nil {
			return nil, err
		}
		if result[processors], err = b.throughput(ctx, group, load{GRPC: gateway.grpc, InFlight: inFlight}); err != nil {
			return nil, err
		}
	}
	return result, nil
}

func (b *bench) throughput(ctx context.Context, group *processes, l load) (float64, error) {
	l.Calls = b.calls
	var rates []float64
	for range 3 {
		took, err := group.send(ctx, l)
		if err != nil {
			return 0, err
		}
		rates = append(rates, float64(l.Calls)/took.Seconds())
	}
	return median(rates), nil
}

// memory returns the peak resident memory of a gateway that has had 1,000 calls in flight over each transport, in MiB.
func (b *bench) memory(ctx context.Context) (map[string]float64, error) {
	const calls = 1000
	peaks := map[string]float64{}
	for _, transport := range []string{"gRPC", "JSON"} {
		group, err := newProcesses()
		if err != nil {
			return nil, err
		}
		defer group.stop()
		store, err := group.self(ctx, "store", "-latency", "2ms")
		if err != nil {
			return nil, err
		}
		gateway, err := group.startGateway(ctx, b.gateway, store.json, modeMerge)
		if err != nil {
			return nil, err
		}
		l := load{GRPC: gateway.grpc, InFlight: calls, Calls: 20 * calls}
		if transport == "JSON" {
			l = load{JSON: gateway.json, InFlight: calls, Calls: 20 * calls}
		}
		if _, err := group.send(ctx, l); err != nil {
			return nil, fmt.Errorf("%d calls in flight over %s: %w", calls, transport, err)
		}
		if peaks[transport], err = gateway.peakMemory(); err != nil {
			return nil, err
		}
	}
	return peaks, nil
}

// wallTime compares one update at a time through a gateway in each mode with a GET and a PUT, against a store that takes 33 ms a
// request, as a real one does.
func (b *bench) wallTime(ctx context.Context, group *processes) (map[string]float64, error) {
	store, err := group.self(ctx, "store", "-latency", "33ms")
	if err != nil {
		return nil, err
	}
	gateways := map[string]*process{}
	for _, mode := range []string{modeMerge, modeAtomic} {
		if gateways[mode], err = group.startGateway(ctx, b.gateway, store.json, mode); err != nil {
			return nil, err
		}
	}
	const calls = 60
	ratios := map[string][]float64{}
	for range 3 {
		direct, err := group.send(ctx, load{Store: store.json, InFlight: 1, Calls: calls})
		if err != nil {
			return nil, err
		}
		for mode, gateway := range gateways {
			through, err := group.send(ctx, load{GRPC: gateway.grpc, InFlight: 1, Calls: calls})
			if err != nil {
				return nil, err
			}
			ratios[mode] = append(ratios[mode], through.Seconds()/direct.Seconds())
		}
	}
	return map[string]float64{modeMerge: median(ratios[modeMerge]), modeAtomic: median(ratios[modeAtomic])}, nil
}
