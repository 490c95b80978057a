package main

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

const metricPrefix = "fluentcart_gateway_"

// metrics is all that /metrics shows. What others count for themselves is asked of them when somebody looks.
type metrics struct {
	registry *prometheus.Registry
	doors    *server.Metrics
	store    storeMetrics
}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), doors: server.NewMetrics(), store: newStoreMetrics()}
	m.gaugeOf(prometheus.Labels{"version": version()}, "build_info", "The version of the gateway; the value is 1.", constant(1))
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.doors, m.store.requests, m.store.duration, m.store.retries,
	)
	return m
}

// handler answers with all metrics.
func (m *metrics) handler(logger *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(logger.Handler(), slog.LevelError),
		MaxRequestsInFlight: 4, // to gather them takes some work
	})
}

// gauge adds what is asked when somebody looks.
func (m *metrics) gauge(name, help string, now func() float64) { m.gaugeOf(nil, name, help, now) }

// gaugeOf is gauge for one of several.
func (m *metrics) gaugeOf(labels prometheus.Labels, name, help string, now func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: metricPrefix + name, Help: help, ConstLabels: labels}, now))
}

// watch adds what the parts of a gateway say of themselves.
func (m *metrics) watch(cfg *serveConfig, customers *service.Service, client *fluentcart.Client, leases *sharedOrLocal, doors *server.Server) {
	m.gauge("ready", "1 if calls can be served; /readyz says why not.", func() float64 { return boolean(len(doors.NotReady()) == 0) })

	m.gauge("updates_admitted", "Updates that were let in: at work, or waiting for their customer, a slot or the rate.", func() float64 { return float64(customers.Load().Admitted) })
	m.gauge("updates_admitted_limit", "How many updates are let in (--max-in-flight and --max-queue).", constant(cfg.MaxInFlight+cfg.MaxQueue))
	m.gauge("slots_in_use", "Slots for work on the store that are taken.", func() float64 { return float64(customers.Load().Working) })
	m.gauge("slots", "Slots for work on the store (--max-in-flight).", constant(cfg.MaxInFlight))
	m.gauge("slot_waiters", "How many wait for a slot.", func() float64 { return float64(customers.Load().Waiting) })
	m.gauge("writes_in_flight", "Writes that have no outcome yet, those whose callers have left included.", func() float64 { return float64(customers.Writes().InFlight) })
	m.gauge("writes_in_doubt", "Writes that the store's answer says nothing of: nobody else gets their customers until they are seen, or can no longer land.", func() float64 { return float64(customers.Writes().InDoubt) })
	m.gauge("leases_held", "Customers whose lease this gateway holds or waits for.", func() float64 { return float64(leases.taken()) })
	if leases.shared != nil {
		m.gauge("redis_available", "1 if Redis answers, and has not just started anew.", func() float64 { return boolean(leases.shared.Unavailable() == nil) })
	}

	m.gauge("store_suspended", "1 while the store fails so often that nothing is written to it.", func() float64 { return boolean(!client.Healthy()) })
	for _, file := range cfg.files.watched {
		m.gaugeOf(prometheus.Labels{"file": file.Name()}, "file_stale", "1 if the file has changed and is no good, so that what there was before is in use.", func() float64 { return boolean(file.Stale()) })
	}
	if cfg.files.tls != nil {
		m.gauge("certificate_expiry_timestamp_seconds", "When the certificate of the doors (--tls-cert) expires, in Unix time.", func() float64 { return float64(cfg.certificateExpiry().Unix()) })
	}
}

func boolean(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func constant(value int) func() float64 { return func() float64 { return float64(value) } }

// storeMetrics are those of the requests to the store.
type storeMetrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	retries  *prometheus.CounterVec
}

func newStoreMetrics() storeMetrics {
	return storeMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: metricPrefix + "store_requests_total",
			Help: "Requests to the store that have ended, by what the store said: ok, or why not.",
		}, []string{"method", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    metricPrefix + "store_request_duration_seconds",
			Help:    "How long requests to the store took, connecting included.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}, // a request takes 33 ms (F24), and no more than 30 s
		}, []string{"method"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: metricPrefix + "store_retries_total",
			Help: "Requests to the store that were sent again; they are among the requests.",
		}, []string{"method"}),
	}
}

func (m storeMetrics) ended(method string, outcome fluentcart.Kind, took time.Duration) {
	word := "ok"
	if outcome != 0 {
		word = strings.ReplaceAll(strings.ToLower(outcome.String()), " ", "_")
	}
	m.requests.WithLabelValues(method, word).Inc()
	m.duration.WithLabelValues(method).Observe(took.Seconds())
}

func (m storeMetrics) retrying(method string) { m.retries.WithLabelValues(method).Inc() }
