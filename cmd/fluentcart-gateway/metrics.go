package main

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/fluentcart-gateway/fluentcart-gateway/cmd/fluentcart-gateway/config"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

const metricPrefix = "fluentcart_gateway_"

// metrics is everything that /metrics shows. Gauges are read from the other parts at each scrape.
type metrics struct {
	registry *prometheus.Registry
	store    storeMetrics
}

// newMetrics returns metrics without those of watch. The collectors count the calls of both transports, the updates, and the
// spans.
func newMetrics(parts ...prometheus.Collector) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), store: newStoreMetrics()}
	m.gaugeOf(prometheus.Labels{"version": version()}, "build_info", "The version of the gateway; the value is 1.", constant(1))
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.store.requests, m.store.duration, m.store.retries,
	)
	m.registry.MustRegister(parts...)
	return m
}

// handler answers with all metrics.
func (m *metrics) handler(logger *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(logger.Handler(), slog.LevelError),
		MaxRequestsInFlight: 4,    // gathering takes some work
		EnableOpenMetrics:   true, // for exemplars
	})
}

// gauge adds a gauge that calls now at each scrape.
func (m *metrics) gauge(name, help string, now func() float64) { m.gaugeOf(nil, name, help, now) }

// gaugeOf is gauge with constant labels.
func (m *metrics) gaugeOf(labels prometheus.Labels, name, help string, now func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: metricPrefix + name, Help: help, ConstLabels: labels}, now))
}

// watch adds the gauges of the parts of a gateway.
func (m *metrics) watch(cfg *config.Loaded, customers *service.Service, client *fluentcart.Client, leases *leases, ready func() bool) {
	m.gauge("ready", "1 if calls can be served; /readyz gives the reasons if not.", func() float64 { return boolean(ready()) })

	m.gauge("calls_admitted", "Updates and reads at work or waiting for a lease, a slot or the rate limit.", func() float64 { return float64(customers.Load().Admitted) })
	m.gauge("calls_admitted_limit", "Limit of calls_admitted (--max-in-flight plus --max-queue).", constant(cfg.MaxInFlight+cfg.MaxQueue))
	m.gauge("slots_in_use", "Slots in use. Each is the right to use the store.", func() float64 { return float64(customers.Load().Working) })
	m.gauge("slots", "Slots (--max-in-flight).", constant(cfg.MaxInFlight))
	m.gauge("slot_waiters", "Updates and reads that wait for a slot.", func() float64 { return float64(customers.Load().Waiting) })
	for _, mode := range []service.WriteMode{service.Merge, service.Atomic, service.Replace} {
		m.gaugeOf(prometheus.Labels{"mode": string(mode)}, "write_mode", "1 for the way in which customers are updated now: merge, atomic (through the WordPress companion) or replace.", func() float64 {
			now, _ := customers.Mode()
			return boolean(now == mode)
		})
	}
	m.gauge("writes_in_flight", "Writes without an outcome yet, including those whose callers have left.", func() float64 { return float64(customers.Writes().InFlight) })
	m.gauge("writes_in_doubt", "Writes whose response does not say whether they were applied. They are verified, while their customers' leases are withheld, or cancelled.", func() float64 { return float64(customers.Writes().InDoubt) })
	m.gauge("leases_held", "Customers whose lease this gateway holds or waits for.", func() float64 { return float64(leases.held()) })
	if cfg.RedisURL != "" {
		m.gauge("redis_available", "1 if Redis answers and gives leases; 0 for a while after it has started.", func() float64 { return boolean(leases.unavailable() == nil) })
		m.registry.MustRegister(evictionPolicy(leases.eviction))
	}

	m.gauge("store_suspended", "1 while the store fails so often that no writes are sent to it.", func() float64 { return boolean(!client.Healthy()) })
	for _, file := range cfg.Files {
		m.gaugeOf(prometheus.Labels{"file": file.Name()}, "file_stale", "1 if the file on disk is not usable, so that its earlier contents stay in use.", func() float64 { return boolean(file.Stale()) })
	}
	if cfg.TLSCert != "" {
		m.gauge("certificate_expiry_timestamp_seconds", "Unix time at which the TLS certificate (--tls-cert) expires.", func() float64 { return float64(cfg.CertificateExpiry().Unix()) })
	}
}

// evictionPolicy is a metric whose label is the policy of Redis.
type evictionPolicy func() string

// Describe sends nothing: the label is not constant.
func (evictionPolicy) Describe(chan<- *prometheus.Desc) {}

// Collect sends the current policy.
func (p evictionPolicy) Collect(metrics chan<- prometheus.Metric) {
	description := prometheus.NewDesc(metricPrefix+"redis_eviction_policy", "The eviction policy of Redis; the value is 1. Any other than noeviction may remove leases.", nil, prometheus.Labels{"policy": p()})
	metrics <- prometheus.MustNewConstMetric(description, prometheus.GaugeValue, 1)
}

func boolean(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func constant(value int) func() float64 { return func() float64 { return float64(value) } }

// storeMetrics counts the requests to the store.
type storeMetrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	retries  *prometheus.CounterVec

	resolved *sync.Map // of storeOutcome to *storeOutcomeMetrics
}

func newStoreMetrics() storeMetrics {
	return storeMetrics{
		resolved: &sync.Map{},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: metricPrefix + "store_requests_total",
			Help: "Requests to the store that have ended, by outcome: ok, or the kind of error.",
		}, []string{"method", "outcome"}),
		duration: prometheus.NewHistogramVec(interceptor.Histogram(prometheus.HistogramOpts{
			Name:    metricPrefix + "store_request_duration_seconds",
			Help:    "Duration of requests to the store, including connecting.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}, // a request takes 33 ms (F24), and no more than 30 s
		}), []string{"method"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: metricPrefix + "store_retries_total",
			Help: "Requests to the store that were retries; store_requests_total includes them.",
		}, []string{"method"}),
	}
}

// ended counts a request. Finding its metrics in the vectors takes longer than counting, so they are kept.
func (m storeMetrics) ended(method string, outcome fluentcart.Kind, took time.Duration) {
	key := storeOutcome{method, outcome}
	found, ok := m.resolved.Load(key)
	if !ok {
		word := "ok"
		if outcome != 0 {
			word = outcome.Label()
		}
		found, _ = m.resolved.LoadOrStore(key, &storeOutcomeMetrics{m.requests.WithLabelValues(method, word), m.duration.WithLabelValues(method)})
	}
	metrics, _ := found.(*storeOutcomeMetrics)
	metrics.requests.Inc()
	metrics.duration.Observe(took.Seconds())
}

type (
	storeOutcome struct {
		method  string
		outcome fluentcart.Kind
	}
	storeOutcomeMetrics struct {
		requests prometheus.Counter
		duration prometheus.Observer
	}
)

func (m storeMetrics) retrying(method string) { m.retries.WithLabelValues(method).Inc() }
