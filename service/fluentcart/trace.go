package fluentcart

import (
	"context"
	"net"
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/tracing"
)

// route is what a request is for.
type route int

// The routes: FluentCart's own, and the companion's.
const (
	readRoute route = iota
	writeRoute
	applyRoute
	cancelRoute
	probeRoute
	routes
)

// isCompanions reports whether the route is one of the companion's.
func (r route) isCompanions() bool { return r >= applyRoute }

// traced is what the spans of all requests to one store have in common.
type traced struct {
	routes     [routes]tracedRoute
	attributes []attribute.KeyValue // of every span
}

// tracedRoute is what the spans of one route have in common. The method is that on the wire, and the name has the address
// without what varies.
type tracedRoute struct {
	name       string
	attributes []attribute.KeyValue
}

// newTraced returns the parts of spans for a store.
func newTraced(target, companion, address string, putAsPost bool) traced {
	host, port, _ := net.SplitHostPort(address)
	number, _ := strconv.Atoi(port)
	put, del := http.MethodPut, http.MethodDelete
	if putAsPost {
		put, del = http.MethodPost, http.MethodPost
	}
	return traced{
		routes: [routes]tracedRoute{
			readRoute:   newTracedRoute(http.MethodGet, target+"/{customer_id}"),
			writeRoute:  newTracedRoute(put, target+"/{customer_id}"),
			applyRoute:  newTracedRoute(http.MethodPost, companion+"/customers/{customer_id}"),
			cancelRoute: newTracedRoute(del, companion+"/requests/{request_id}"),
			probeRoute:  newTracedRoute(http.MethodGet, companion),
		},
		attributes: []attribute.KeyValue{semconv.ServerAddress(host), semconv.ServerPort(number), semconv.NetworkProtocolVersion("1.1")},
	}
}

func newTracedRoute(method, template string) tracedRoute {
	return tracedRoute{
		name:       method + " " + template,
		attributes: []attribute.KeyValue{semconv.HTTPRequestMethodKey.String(method), semconv.URLTemplate(template)},
	}
}

// startSpan starts the span of the exchange. Its context is what the request carries to the store.
func (x *exchange) startSpan(ctx context.Context) {
	traced := &x.client.traced
	route := &traced.routes[x.request.route]
	_, x.span = tracing.StartClient(ctx, route.name)
	x.request.trace = x.span.SpanContext()
	if !x.span.SpanContext().IsSampled() {
		return
	}
	x.span.SetAttributes(traced.attributes...)
	x.span.SetAttributes(route.attributes...)
	x.span.SetAttributes(semconv.URLFull(x.client.origin + x.request.target))
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
