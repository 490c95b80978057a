package e2e

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
)

// collector is an OpenTelemetry collector that keeps the spans it gets in memory.
type collector struct {
	collectorv1.UnimplementedTraceServiceServer

	address string
	server  *grpc.Server

	mu       sync.Mutex
	spans    []*tracev1.Span
	resource map[string]string
	headers  metadata.MD
	refuse   codes.Code    // if not OK, what it answers
	hang     chan struct{} // if set, it answers once this is closed
}

// startCollector starts a collector on the address; 127.0.0.1:0 is a free one.
func startCollector(t testing.TB, address string, options ...grpc.ServerOption) *collector {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{address: listener.Addr().String(), server: grpc.NewServer(options...)}
	collectorv1.RegisterTraceServiceServer(c.server, c)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.server.Serve(listener)
	}()
	t.Cleanup(func() {
		c.server.Stop()
		<-ended
	})
	return c
}

// Export keeps the spans.
func (c *collector) Export(ctx context.Context, request *collectorv1.ExportTraceServiceRequest) (*collectorv1.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if hang := c.hang; hang != nil {
		c.mu.Unlock()
		select {
		case <-hang:
		case <-ctx.Done():
		}
		c.mu.Lock()
	}
	if c.refuse != codes.OK {
		return nil, status.Error(c.refuse, "this collector takes nothing")
	}
	c.headers, _ = metadata.FromIncomingContext(ctx)
	for _, of := range request.GetResourceSpans() {
		c.resource = attributesOf(of.GetResource().GetAttributes())
		for _, scope := range of.GetScopeSpans() {
			c.spans = append(c.spans, scope.GetSpans()...)
		}
	}
	return &collectorv1.ExportTraceServiceResponse{}, nil
}

// trace returns the spans of a trace so far, the earliest first.
func (c *collector) trace(id string) []*tracev1.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	spans := slices.DeleteFunc(slices.Clone(c.spans), func(span *tracev1.Span) bool { return hexOf(span.GetTraceId()) != id })
	slices.SortStableFunc(spans, func(a, b *tracev1.Span) int { return int(a.GetStartTimeUnixNano()) - int(b.GetStartTimeUnixNano()) })
	return spans
}

// count returns how many spans the collector has.
func (c *collector) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.spans)
}

// tree returns the names of spans, each behind those of its parents.
func tree(spans []*tracev1.Span) []string {
	byID := map[string]*tracev1.Span{}
	for _, span := range spans {
		byID[string(span.GetSpanId())] = span
	}
	var lines []string
	for _, span := range spans {
		path := []string{span.GetName()}
		for above := byID[string(span.GetParentSpanId())]; above != nil; above = byID[string(above.GetParentSpanId())] {
			path = append([]string{above.GetName()}, path...)
		}
		lines = append(lines, strings.Join(path, " → "))
	}
	return lines
}

func attributesOf(list []*commonv1.KeyValue) map[string]string {
	attributes := map[string]string{}
	for _, a := range list {
		switch value := a.GetValue().GetValue().(type) {
		case *commonv1.AnyValue_StringValue:
			attributes[a.GetKey()] = value.StringValue
		default:
			attributes[a.GetKey()] = a.GetValue().String()
		}
	}
	return attributes
}
