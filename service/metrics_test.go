package service_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/telemetry"
)

// Every update that comes to its write is counted once, by its first result, and every in-doubt write once more, by what
// verifying it showed.
func TestWritesAreCountedByTheirResults(t *testing.T) {
	const writes, resolved = "fluentcart_gateway_writes_total ", "fluentcart_gateway_in_doubt_writes_resolved_total "
	lost := func(work sandbox.Work) *sandbox.Failure { return &sandbox.Failure{Work: work, Delivery: sandbox.Reset} }
	for _, row := range []struct {
		name     string
		failure  *sandbox.Failure
		customer *customerv1.Customer
		want     map[string]float64
	}{
		{"a write", nil, &customerv1.Customer{City: proto.String("Lyon")}, map[string]float64{writes + "written": 1}},
		{"nothing to change", nil, &customerv1.Customer{}, map[string]float64{writes + "unchanged": 1}},
		{"a refusal", nil, &customerv1.Customer{City: proto.String("<b>Lyon</b>")}, map[string]float64{writes + "rejected": 1}},
		{"a lost response to a write", lost(sandbox.Done), &customerv1.Customer{City: proto.String("Lyon")}, map[string]float64{writes + "in_doubt": 1, resolved + "written": 1}},
		{"a lost request", lost(sandbox.Never), &customerv1.Customer{City: proto.String("Lyon")}, map[string]float64{writes + "in_doubt": 1, resolved + "unknown": 1}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				counted := service.NewMetrics()
				s := setup{service: service.Config{Metrics: counted}}
				if row.failure != nil {
					s.store.Fail = failFirstWrite(*row.failure)
				}
				h := newHarness(t, s)
				_, _ = h.service.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: row.customer})
				h.finish(t)
				if diff := cmp.Diff(row.want, values(t, counted)); diff != "" {
					t.Errorf("counted (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// The record of an update says where its time went, what became of its write, and which fields changed.
func TestUpdateRecordsItsPhasesAndItsResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, setup{service: service.Config{MaxInFlight: 1}, store: sandbox.Config{
			Fail: failFirstWrite(sandbox.Failure{Delivery: sandbox.Reset}),
		}})
		update := func(customer int64, record *telemetry.Call) {
			ctx := telemetry.NewContext(t.Context(), record)
			if _, err := h.service.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: customer, Customer: &customerv1.Customer{City: proto.String("Lyon")}}); err != nil {
				t.Error(err)
			}
		}
		inDoubt, waits, waitsForLease := &telemetry.Call{}, &telemetry.Call{}, &telemetry.Call{}
		var calls sync.WaitGroup
		calls.Go(func() { update(1, inDoubt) })
		synctest.Wait()
		calls.Go(func() { update(4, waits) })
		calls.Go(func() { update(1, waitsForLease) })
		calls.Wait()
		h.finish(t)
		type record struct {
			queue, lease, get, put, verify bool
			result                         telemetry.Result
			changed                        []string
		}
		for name, row := range map[string]struct {
			call *telemetry.Call
			want record
		}{
			"the first":                 {inDoubt, record{get: true, put: true, verify: true, result: telemetry.Written, changed: []string{"city"}}},
			"one for another customer":  {waits, record{queue: true, get: true, put: true, result: telemetry.Written, changed: []string{"city"}}},
			"one for the same customer": {waitsForLease, record{lease: true, get: true, result: telemetry.Unchanged}},
		} {
			spent := func(phase telemetry.Phase) bool { return row.call.Spent(phase) > 0 }
			got := record{spent(telemetry.Queue), spent(telemetry.Lease), spent(telemetry.StoreGet), spent(telemetry.StorePut), spent(telemetry.Verify), row.call.Result, row.call.Changed}
			if diff := cmp.Diff(row.want, got, cmp.AllowUnexported(record{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		if get := inDoubt.Spent(telemetry.StoreGet); get != latency {
			t.Errorf("the read took %s, want %s", get, latency)
		}
	})
}

// values returns the counters of a collector that are not 0, by the values of their labels.
func values(t *testing.T, collector prometheus.Collector) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collector)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			series := []string{family.GetName()}
			for _, label := range metric.GetLabel() {
				series = append(series, label.GetValue())
			}
			if n := metric.GetCounter().GetValue(); n > 0 {
				counted[strings.Join(series, " ")] = n
			}
		}
	}
	return counted
}
