package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/fluentcart-gateway/fluentcart-gateway/cmd/fluentcart-gateway/config"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/tracing"
)

// flushTime is how long stopping waits until the collector has taken the last spans. A collector that does not answer must not
// keep a gateway from stopping in time.
const flushTime = 500 * time.Millisecond

// traces sends the spans of calls to a collector. A nil one sends nothing, and calls start no spans.
type traces struct {
	provider *sdktrace.TracerProvider
	exporter *countedExporter
	logger   *slog.Logger
}

// startTraces connects to the collector in the background: the collector may be absent, and come later.
func startTraces(ctx context.Context, cfg *config.Loaded, logger *slog.Logger) (*traces, error) {
	collector, on := cfg.Collector()
	if !on {
		return nil, nil
	}
	ctx = context.WithoutCancel(ctx) // calls that drain still have spans
	unusable := &faultLog{}
	otel.SetLogger(logr.New(unusable))
	defer otel.SetLogger(logr.Discard())
	options := []otlptracegrpc.Option{otlptracegrpc.WithEndpointURL("https://" + collector.Address)}
	if collector.Plaintext {
		options = append(options, otlptracegrpc.WithTLSCredentials(insecure.NewCredentials())) // before those of OTEL_EXPORTER_OTLP_CERTIFICATE
	}
	toCollector, err := otlptracegrpc.New(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("--otlp-endpoint: %w", err)
	}
	of, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName("fluentcart-gateway"), semconv.ServiceVersion(version()), semconv.ServiceInstanceID(uuid.NewString())),
		resource.WithFromEnv(), // last, so that OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES replace the others
	)
	if err != nil {
		err = fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: must be pairs such as deployment.environment.name=production, separated by commas: %w", err)
	}
	if err := errors.Join(unusable.faults, err); err != nil {
		_ = toCollector.Shutdown(ctx) // it has sent nothing
		return nil, &configError{err}
	}
	exporter := newCountedExporter(toCollector, logger)
	return &traces{
		provider: sdktrace.NewTracerProvider(
			sdktrace.WithResource(of),
			sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cfg.TraceRatio))),
			sdktrace.WithSpanProcessor(exporter.queue()),
			sdktrace.WithoutPanicRecording(), // the text of a panic may hold data of a call
		),
		exporter: exporter, logger: logger,
	}, nil
}

// tracer returns what starts the spans, or nil.
func (t *traces) tracer() trace.Tracer {
	if t == nil {
		return nil
	}
	return t.provider.Tracer(tracing.Scope, trace.WithInstrumentationVersion(version()), trace.WithSchemaURL(semconv.SchemaURL))
}

// collectors returns the metrics of the spans.
func (t *traces) collectors() []prometheus.Collector {
	if t == nil {
		return nil
	}
	return []prometheus.Collector{t.exporter.spans}
}

// stop sends the last spans, and gives up after flushTime.
func (t *traces) stop() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	if t.provider.Shutdown(ctx) == nil {
		return
	}
	spans := t.exporter.pending.Load()
	t.exporter.abandoned.Store(true)
	_ = t.exporter.Shutdown(ctx) // its context has ended, so it ends the export in progress
	t.logger.LogAttrs(context.Background(), slog.LevelWarn, "the collector did not take the last spans in time", slog.Int64("spans", spans))
}

// faultLog is a logr.LogSink that keeps what OpenTelemetry reports about its variables, which it would otherwise ignore.
// Their values are left out, because headers are secrets.
type faultLog struct{ faults error }

// Init does nothing.
func (*faultLog) Init(logr.RuntimeInfo) {}

// Enabled reports true for errors only, which have no level.
func (*faultLog) Enabled(int) bool { return false }

// Info does nothing.
func (*faultLog) Info(int, string, ...any) {}

// Error keeps the fault.
func (l *faultLog) Error(err error, message string, _ ...any) {
	l.faults = errors.Join(l.faults, fmt.Errorf("a variable that begins with OTEL_EXPORTER_OTLP_: %s: %w", message, err))
}

// WithValues returns the same log.
func (l *faultLog) WithValues(...any) logr.LogSink { return l }

// WithName returns the same log.
func (l *faultLog) WithName(string) logr.LogSink { return l }
