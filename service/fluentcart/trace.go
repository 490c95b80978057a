package fluentcart

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/tracing"
)

// traced is what the spans of all requests to one store have in common.
type traced struct {
	get, put   string               // names of the spans
	attributes []attribute.KeyValue // of every span
}

// newTraced returns the parts of spans for a store. Their names have the wire's method, and the address without what varies.
func newTraced(target, address string, putAsPost bool) traced {
	template := target + "/{customer_id}"
	host, port, _ := net.SplitHostPort(address)
	number, _ := strconv.Atoi(port)
	t := traced{
		get: http.MethodGet + " " + template, put: http.MethodPut + " " + template,
		attributes: []attribute.KeyValue{
			semconv.URLTemplate(template), semconv.ServerAddress(host), semconv.ServerPort(number), semconv.NetworkProtocolVersion("1.1"),
		},
	}
	if putAsPost {
		t.put = http.MethodPost + " " + template
	}
	return t
}

// startSpan starts the span of the exchange. Its context is what the request carries to the store.
func (x *exchange) startSpan(ctx context.Context) {
	name := x.client.traced.get
	if x.isWrite() {
		name = x.client.traced.put
	}
	_, x.span = tracing.StartClient(ctx, name)
	x.request.trace = x.span.SpanContext()
	if !x.span.SpanContext().IsSampled() {
		return
	}
	method, _, _ := strings.Cut(name, " ")
	x.span.SetAttributes(x.client.traced.attributes...)
	x.span.SetAttributes(semconv.HTTPRequestMethodKey.String(method), semconv.URLFull(x.client.origin+x.request.target))
	if x.request.resends > 0 {
		x.span.SetAttributes(semconv.HTTPRequestResendCount(x.request.resends))
	}
}

// endSpan ends the span of the exchange with its outcome. A failure is named as its metric names it.
func (x *exchange) endSpan(got *response, failure *Error) {
	status := statusOf(got)
	if failure != nil {
		status = failure.Status
		tracing.Fail(x.span, failure.Kind.Label())
	}
	if status != 0 && x.span.IsRecording() {
		x.span.SetAttributes(semconv.HTTPResponseStatusCode(status))
	}
	x.span.End()
}
