package service

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/telemetry"
)

// Metrics counts what became of updates. It is a prometheus.Collector.
type Metrics struct {
	prometheus.Collector // all of the following

	writes   *prometheus.CounterVec
	resolved *prometheus.CounterVec
	warnings *prometheus.CounterVec
}

// The results of writes, beside those of telemetry.
const (
	writeRejected = string(apierror.Rejected)
	writeNotSent  = string(apierror.NotSent)
	writeInDoubt  = "in_doubt"
	writeUnknown  = string(apierror.Unknown) // of an in-doubt write that was not resolved within the settle time
	writeWritten  = string(telemetry.Written)
)

// NewMetrics returns Metrics that have counted nothing. All results are there from the start, so that the first one is an
// increase from 0.
func NewMetrics() *Metrics {
	const prefix = "fluentcart_gateway_"
	m := &Metrics{
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "writes_total",
			Help: "Updates that came to their write, by its first result; unchanged: nothing was to be written; repeated: the request_id was applied before.",
		}, []string{"result"}),
		resolved: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "in_doubt_writes_resolved_total",
			Help: "In-doubt writes that have ended, by what verifying or cancelling them showed; unknown: nothing within the settle time.",
		}, []string{"outcome"}),
		warnings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "warnings_total",
			Help: "Warnings in responses to updates, by the field that the store holds differently from what was asked.",
		}, []string{"field", "reason"}),
	}
	for _, result := range []string{writeWritten, string(telemetry.Unchanged), string(telemetry.Repeated), writeRejected, writeNotSent, writeInDoubt} {
		m.writes.WithLabelValues(result)
	}
	for _, outcome := range []string{writeWritten, writeRejected, writeUnknown} {
		m.resolved.WithLabelValues(outcome)
	}
	all := prometheus.NewRegistry()
	all.MustRegister(m.writes, m.resolved, m.warnings)
	m.Collector = all
	return m
}

// resultOf returns the result of a write that failed with err, which may be nil.
func resultOf(err error) string {
	if err == nil {
		return writeWritten
	}
	return string(apierror.StateOf(apierror.InfoOfError(err)))
}

// finish records what an update did, for the log and the metrics. The response is nil if it failed.
func (s *Service) finish(call *telemetry.Call, response **customerv1.UpdateCustomerResponse) {
	for _, warning := range (*response).GetWarnings() {
		s.metrics.warnings.WithLabelValues(warning.GetField(), warning.GetReason().String()).Inc()
	}
	if call == nil || *response == nil {
		return
	}
	call.Changed = (*response).GetChangedFields()
	if call.Result == "" {
		call.Result = telemetry.Written
	}
}

// withoutWrite records that an update ends without a write.
func (s *Service) withoutWrite(ctx context.Context, result telemetry.Result) {
	if call := telemetry.CallOf(ctx); call != nil {
		call.Result = result
	}
	if result == telemetry.Unchanged || result == telemetry.Repeated {
		s.metrics.writes.WithLabelValues(string(result)).Inc()
	}
}
