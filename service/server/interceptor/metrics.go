package interceptor

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/telemetry"
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

	calls      *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	phases     *prometheus.HistogramVec
	inFlight   *prometheus.GaugeVec
	overloaded *prometheus.CounterVec
	rejected   *prometheus.CounterVec
	evicted    *prometheus.CounterVec
}

// NewMetrics returns Metrics that have counted nothing.
func NewMetrics() *Metrics {
	const prefix = "fluentcart_gateway_"
	m := &Metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "calls_total",
			Help: "Calls that have ended, by outcome and reason; caller is empty where the gateway itself authenticates no caller.",
		}, []string{"transport", "method", "code", "reason", "caller"}),
		duration: prometheus.NewHistogramVec(Histogram(prometheus.HistogramOpts{
			Name:    prefix + "call_duration_seconds",
			Help:    "Duration of calls, time in queues included.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}, // an update takes a store 66 ms (F24); no call takes longer than 60 s
		}), []string{"transport", "method", "code"}),
		phases: prometheus.NewHistogramVec(prometheus.HistogramOpts{ // no native buckets: a call has up to six phases
			Name:    prefix + "call_phase_seconds",
			Help:    "Time that calls spent waiting for a slot (queue) or the customer's lease, reading from the store, writing to it, verifying the write, and in the gateway's own work. Calls count in the phases that they had.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "phase"}),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: prefix + "calls_in_flight",
			Help: "Calls that have not ended.",
		}, []string{"transport"}),
		overloaded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "overload_rejections_total",
			Help: "Calls that were rejected because of a limit: queue, customer (updates of one customer), fair_share, rate (--store-rate), deadline (it would have passed), unverified (store accounts).",
		}, []string{"transport", "limit"}),
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
	all.MustRegister(m.calls, m.duration, m.phases, m.inFlight, m.overloaded, m.rejected, m.evicted)
	m.Collector = all
	return m
}

// Histogram adds native buckets to the classic ones: each is 10 % wider than the one before. A scraper takes one kind.
func Histogram(o prometheus.HistogramOpts) prometheus.HistogramOpts {
	o.NativeHistogramBucketFactor = 1.1
	o.NativeHistogramMaxBucketNumber = 100
	o.NativeHistogramMinResetDuration = time.Hour
	return o
}

// callMetrics are the metrics of the calls of one transport.
type callMetrics struct {
	calls      *prometheus.CounterVec
	duration   prometheus.ObserverVec
	phases     *prometheus.HistogramVec
	inFlight   prometheus.Gauge
	overloaded map[apierror.Limit]prometheus.Counter

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
		phases   []prometheus.Observer // as telemetry.Phases
		own      prometheus.Observer
	}
)

const ownPhase = "own"

func (m *Metrics) of(transport string) *callMetrics {
	labels := prometheus.Labels{"transport": transport}
	overloaded := map[apierror.Limit]prometheus.Counter{}
	for _, limit := range apierror.Limits() { // so that the first rejection is an increase from 0
		overloaded[limit] = m.overloaded.WithLabelValues(transport, string(limit))
	}
	return &callMetrics{
		calls: m.calls.MustCurryWith(labels), duration: m.duration.MustCurryWith(labels), phases: m.phases,
		inFlight: m.inFlight.With(labels), overloaded: overloaded,
	}
}

// ended counts a call that has ended with err, which may be nil. record is nil for a call that did not reach the service.
func (m *callMetrics) ended(ctx context.Context, method string, err error, caller string, took time.Duration, record *telemetry.Call) {
	key := outcome{method: method, caller: caller}
	if err != nil {
		key.code, key.reason = status.Code(err), apierror.InfoOfError(err).GetReason()
		if own, ok := err.(*apierror.Error); ok && own.Limit() != "" { //nolint:errorlint // the service wraps none
			m.overloaded[own.Limit()].Inc()
		}
	}
	found, ok := m.resolved.Load(key)
	if !ok {
		found, _ = m.resolved.LoadOrStore(key, m.of(key))
	}
	metrics, _ := found.(*outcomeMetrics)
	metrics.calls.Inc()
	observe(ctx, metrics.duration, took)
	if record == nil {
		return
	}
	for _, phase := range telemetry.Phases() {
		if spent := record.Spent(phase); spent > 0 {
			metrics.phases[phase].Observe(spent.Seconds())
		}
	}
	metrics.own.Observe(record.Own(took).Seconds())
}

func (m *callMetrics) of(key outcome) *outcomeMetrics {
	code := codeName(key.code)
	metrics := &outcomeMetrics{
		calls:    m.calls.WithLabelValues(key.method, code, key.reason, key.caller),
		duration: m.duration.WithLabelValues(key.method, code),
	}
	if !needsCaller(key.method) { // a health check has no phases
		return metrics
	}
	metrics.own = m.phases.WithLabelValues(key.method, ownPhase)
	for _, phase := range telemetry.Phases() {
		metrics.phases = append(metrics.phases, m.phases.WithLabelValues(key.method, phase.String()))
	}
	return metrics
}

// codeName returns the name of a code as the documentation writes it, such as NOT_FOUND.
func codeName(c codes.Code) string { return code.Code(c).String() } //nolint:gosec // both are the same small numbers

// measured counts calls. A call that needs no caller, such as a health check, gets its record here.
func measured(m *callMetrics) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if callOf(ctx) == nil {
			ctx = withCall(ctx, &call{id: RequestID(nil)})
		}
		m.inFlight.Inc()
		defer m.inFlight.Dec()
		c, start := callOf(ctx), time.Now()
		var record *telemetry.Call
		if needsCaller(info.FullMethod) { // a health check has no phases
			record = &c.record
			ctx = telemetry.NewContext(ctx, record)
		}
		response, err := handler(ctx, request)
		m.ended(ctx, info.FullMethod, err, c.authenticatedName(), time.Since(start), record)
		return response, err
	}
}
