package interceptor

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
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

// callMetrics are the metrics of the calls of one transport.
type callMetrics struct {
	calls    *prometheus.CounterVec
	duration prometheus.ObserverVec
	inFlight prometheus.Gauge

	resolved sync.Map // of outcome to *outcomeMetrics: finding them in the vectors takes longer
}

type (
	outcome struct {
		method, reason, caller string
		code                   codes.Code
	}
	outcomeMetrics struct {
		calls    prometheus.Counter
		duration prometheus.Observer
	}
)

func (m *Metrics) of(transport string) *callMetrics {
	labels := prometheus.Labels{"transport": transport}
	return &callMetrics{calls: m.calls.MustCurryWith(labels), duration: m.duration.MustCurryWith(labels), inFlight: m.inFlight.With(labels)}
}

// ended counts a call that has ended with err, which may be nil.
func (m *callMetrics) ended(method string, err error, caller string, took time.Duration) {
	key := outcome{method: method, caller: caller}
	if err != nil {
		key.code, key.reason = status.Code(err), apierror.InfoOfError(err).GetReason()
	}
	found, ok := m.resolved.Load(key)
	if !ok {
		found, _ = m.resolved.LoadOrStore(key, &outcomeMetrics{
			m.calls.WithLabelValues(method, key.code.String(), key.reason, caller), m.duration.WithLabelValues(method, key.code.String()),
		})
	}
	metrics, _ := found.(*outcomeMetrics)
	metrics.calls.Inc()
	metrics.duration.Observe(took.Seconds())
}

// measured counts calls. A call that needs no caller, such as a health check, gets its record here.
func measured(m *callMetrics) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if callOf(ctx) == nil {
			ctx = withCall(ctx, &call{id: RequestID(nil)})
		}
		m.inFlight.Inc()
		defer m.inFlight.Dec()
		start := time.Now()
		response, err := handler(ctx, request)
		m.ended(info.FullMethod, err, callOf(ctx).authenticatedName(), time.Since(start))
		return response, err
	}
}
