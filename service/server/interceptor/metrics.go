package interceptor

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// Metrics counts what comes through the doors. It is a prometheus.Collector.
//
// Prometheus' own client library, and not OpenTelemetry in front of it: a few counters need no second model of what a
// metric is, nor another place where names are made up.
//
// Labels hold what the gateway knows of itself, and never what a caller sent: whoever could make up the value of a label
// could make up as many series as the memory holds. So a method is one that is served, a reason is one of the gateway's
// words, and a caller is one that the operator has named.
type Metrics struct {
	calls    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight *prometheus.GaugeVec
	refused  *prometheus.CounterVec
}

// NewMetrics returns Metrics of doors that nobody has come to.
func NewMetrics() *Metrics {
	const prefix = "fluentcart_gateway_"
	return &Metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "calls_total",
			Help: "Calls that have ended, by what came of them and why; caller is empty where callers prove no name to the gateway.",
		}, []string{"transport", "method", "code", "reason", "caller"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    prefix + "call_duration_seconds",
			Help:    "How long calls took, waiting for their turn included.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}, // a store takes 66 ms for an update (F24); nobody waits longer than 60 s
		}, []string{"transport", "method", "code"}),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: prefix + "calls_in_flight",
			Help: "Calls that have not ended.",
		}, []string{"transport"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "requests_refused_total",
			Help: "Requests that the doors refused before they were calls, whether or not the log has a line for them.",
		}, []string{"transport", "reason"}),
	}
}

// Describe sends what there is.
func (m *Metrics) Describe(descriptions chan<- *prometheus.Desc) {
	for _, part := range m.parts() {
		part.Describe(descriptions)
	}
}

// Collect sends how it is now.
func (m *Metrics) Collect(metrics chan<- prometheus.Metric) {
	for _, part := range m.parts() {
		part.Collect(metrics)
	}
}

func (m *Metrics) parts() []prometheus.Collector {
	return []prometheus.Collector{m.calls, m.duration, m.inFlight, m.refused}
}

// measured counts the calls of a door, and makes the record of what is known of each.
func measured(m *Metrics, transport string) grpc.UnaryServerInterceptor {
	inFlight := m.inFlight.WithLabelValues(transport)
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		ctx = withCall(ctx, "")
		inFlight.Inc()
		defer inFlight.Dec()
		start := time.Now()
		response, err := handler(ctx, request)
		took := time.Since(start)
		code, reason := status.Code(err).String(), ""
		if err != nil {
			reason = apierror.InfoOfError(err).GetReason()
		}
		m.calls.WithLabelValues(transport, info.FullMethod, code, reason, callOf(ctx).provedName()).Inc()
		m.duration.WithLabelValues(transport, info.FullMethod, code).Observe(took.Seconds())
		return response, err
	}
}
