package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/pprof/profile"
	"golang.org/x/sync/errgroup"
)

// mostObserved is the aim: the part of the gateway's CPU time that metrics and traces may take.
const mostObserved = 0.05

// observed is what metrics and traces cost.
type observed struct {
	share   float64 // of the CPU time of the gateway
	samples int64   // of the profile
}

// observing are the functions whose CPU time, with that of all they call, is for metrics or traces. No function of these calls
// the rest of a call.
var observing = []string{
	"github.com/prometheus/client_golang/prometheus.", "github.com/prometheus/client_golang/prometheus/promhttp.", "go.opentelemetry.io/otel",
	"/service/tracing.", "/service/telemetry.", "/service/server/interceptor.(*callMetrics).", "/service/server/interceptor.startServerSpan",
	"/service/server/interceptor.endServerSpan", "/service/server/interceptor.endCallSpan", "/service/fluentcart.(*exchange).startSpan",
	"/service/fluentcart.(*exchange).endSpan", "/service.(*Service).finish", "main.storeMetrics.",
}

// observe profiles a gateway that traces 1 % of its calls, while it has a load and is scraped.
func (b *bench) observe(ctx context.Context, group *processes) (observed, error) {
	store, err := group.self(ctx, "store")
	if err != nil {
		return observed{}, err
	}
	collector, err := group.self(ctx, "collector")
	if err != nil {
		return observed{}, err
	}
	gateway, err := group.startGateway(ctx, b.gateway, store.json, modeMerge, "--otlp-endpoint="+collector.json, "--trace-ratio=0.01", "--admin-pprof")
	if err != nil {
		return observed{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var result observed
	var profiling errgroup.Group
	profiling.Go(func() (err error) {
		result, err = profiled(ctx, gateway.admin+"/debug/pprof/profile?seconds=8")
		cancel() // the load
		return err
	})
	profiling.Go(func() error {
		_, err := get(ctx, gateway.admin+"/metrics") // once, as Prometheus does in ten seconds or more
		return err
	})
	for ctx.Err() == nil {
		if _, err := group.send(ctx, load{GRPC: gateway.grpc, InFlight: inFlight, Calls: b.calls}); err != nil && ctx.Err() == nil {
			return observed{}, err
		}
	}
	return result, profiling.Wait()
}

// profiled gets a CPU profile, and returns the share of the observing functions.
func profiled(ctx context.Context, url string) (observed, error) {
	body, err := get(ctx, url)
	if err != nil {
		return observed{}, err
	}
	cpu, err := profile.Parse(strings.NewReader(body))
	if err != nil {
		return observed{}, err
	}
	var all, part int64
	for _, sample := range cpu.Sample {
		all += sample.Value[0]
		if isObserving(sample) {
			part += sample.Value[0]
		}
	}
	if all == 0 {
		return observed{}, fmt.Errorf("%s: the profile has no samples", url)
	}
	return observed{share: float64(part) / float64(all), samples: all}, nil
}

func isObserving(sample *profile.Sample) bool {
	for _, location := range sample.Location {
		for _, line := range location.Line {
			for _, name := range observing {
				if strings.Contains(line.Function.Name, name) {
					return true
				}
			}
		}
	}
	return false
}

func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close() //nolint:errcheck // it was read, or the run fails
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, response.Status)
	}
	return string(body), err
}
