package interceptor

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// Metrics counts the calls of both transports. It is a prometheus.Collector.
//
// It uses Prometheus' own client library without OpenTelemetry in front: a few counters need no second metric model, and
// no second place for names.
//
// Label values are the gateway's own: a served method, a reason of the error table, a caller that the operator has
// named. A value that callers could choose would let them create as many series as fit into memory.
type Metrics struct {
	prometheus.Collector // all of the following

	calls    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight *prometheus.GaugeVec
	rejected *prometheus.CounterVec
	evicted  *prometheus.CounterVec
}

// NewMetrics returns Metrics that have counted nothing.
func NewMetrics() *Metrics {
	const prefix = "fluentcart_gateway_"
	m := &Metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "calls_total",
			Help: "Calls that have ended, by outcome and reason; caller is empty where the gateway itself authenticates no caller.",
		}, []string{"transport", "method", "code", "reason", "caller"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    prefix + "call_duration_seconds",
			Help:    "Duration of calls, time in queues included.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}, // an update takes a store 66 ms (F24); no call takes longer than 60 s
		}, []string{"transport", "method", "code"}),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: prefix + "calls_in_flight",
			Help: "Calls that have not ended.",
		}, []string{"transport"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "requests_rejected_total",
			Help: "Requests that a transport rejected before they became calls, whether or not they were logged.",
		}, []string{"transport", "reason"}),
		evicted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "connections_evicted_total",
			Help: "Connections that a transport closed to keep its bounds: for a newcomer, for memory, without a call in time, for a flood of control frames.",
		}, []string{"transport", "reason"}),
	}
	all := prometheus.NewRegistry()
	all.MustRegister(m.calls, m.duration, m.inFlight, m.rejected, m.evicted)
	m.Collector = all
	return m
}

// measured counts the calls of a transport, and adds the record of the call to the context.
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
		m.calls.WithLabelValues(transport, info.FullMethod, code, reason, callOf(ctx).authenticatedName()).Inc()
		m.duration.WithLabelValues(transport, info.FullMethod, code).Observe(took.Seconds())
		return response, err
	}
}
