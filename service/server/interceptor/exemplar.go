package interceptor

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// observe adds a duration to a histogram. A call whose trace is sampled becomes an exemplar, by which a slow bucket leads to
// the trace of a slow call.
func observe(ctx context.Context, histogram prometheus.Observer, took time.Duration) {
	if span := trace.SpanContextFromContext(ctx); span.IsSampled() {
		if exemplars, ok := histogram.(prometheus.ExemplarObserver); ok {
			exemplars.ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": span.TraceID().String()})
			return
		}
	}
	histogram.Observe(took.Seconds())
}
