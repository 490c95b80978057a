package main

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/time/rate"
)

const (
	// maxSpans is how many spans wait for the collector at most: some seconds' worth, or 4 MiB. Further ones are dropped.
	maxSpans = 2048
	// exportLogPeriod is how often a collector that fails is logged.
	exportLogPeriod = time.Minute
)

// countedExporter exports spans, and counts what becomes of them.
type countedExporter struct {
	sdktrace.SpanExporter

	spans   *prometheus.CounterVec
	pending atomic.Int64 // ended, and neither exported nor lost
	logger  *slog.Logger
	lines   *rate.Limiter
	failing bool // ExportSpans is not called concurrently

	abandoned atomic.Bool // the gateway stops, and says itself what is lost
}

// The values of the label outcome.
const (
	spanExported = "exported"
	spanFailed   = "failed"  // the collector did not take it
	spanDropped  = "dropped" // too many others waited
)

func newCountedExporter(next sdktrace.SpanExporter, logger *slog.Logger) *countedExporter {
	e := &countedExporter{
		SpanExporter: next,
		spans: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: metricPrefix + "trace_spans_total",
			Help: "Spans of sampled traces, by what became of them: exported, failed (the collector did not take them) or dropped (too many were waiting).",
		}, []string{"outcome"}),
		logger: logger,
		lines:  rate.NewLimiter(rate.Every(exportLogPeriod), 1),
	}
	for _, outcome := range []string{spanExported, spanFailed, spanDropped} {
		e.spans.WithLabelValues(outcome) // so that the first one is an increase from 0
	}
	return e
}

// ExportSpans never fails: OpenTelemetry would do nothing about a failure but write a line of its own.
func (e *countedExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	e.pending.Add(-int64(len(spans)))
	if err == nil {
		e.spans.WithLabelValues(spanExported).Add(float64(len(spans)))
		if e.failing {
			e.failing = false
			e.logger.LogAttrs(ctx, slog.LevelInfo, "spans are exported again")
		}
		return nil
	}
	e.spans.WithLabelValues(spanFailed).Add(float64(len(spans)))
	e.failing = true
	if !e.abandoned.Load() && e.lines.Allow() {
		e.logger.LogAttrs(ctx, slog.LevelWarn, "spans are not exported, and are lost", slog.String("error", shortened(err.Error())))
	}
	return nil
}

// shortened bounds a text that the collector may have chosen.
func shortened(text string) string {
	const most = 300
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// queue returns the processor that hands spans to the exporter in batches. It never blocks a call.
func (e *countedExporter) queue() sdktrace.SpanProcessor {
	return &spanQueue{sdktrace.NewBatchSpanProcessor(e, sdktrace.WithMaxQueueSize(maxSpans)), e}
}

// spanQueue drops spans itself before the batch processor does, which would not say so.
type spanQueue struct {
	sdktrace.SpanProcessor

	exporter *countedExporter
}

// OnEnd queues a span.
func (q *spanQueue) OnEnd(span sdktrace.ReadOnlySpan) {
	if !span.SpanContext().IsSampled() {
		return
	}
	if q.exporter.pending.Add(1) > maxSpans {
		q.exporter.pending.Add(-1)
		q.exporter.spans.WithLabelValues(spanDropped).Inc()
		return
	}
	q.SpanProcessor.OnEnd(span)
}
