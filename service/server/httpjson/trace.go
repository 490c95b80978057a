package httpjson

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/tracing"
)

// traced starts the span of a request, below that of the trace that its headers name. It returns the span's context, the
// request with it, and a response that notes its status. A request that is not sampled keeps its own request and response: only
// the store needs its context.
func (g *gateway) traced(ctx context.Context, w http.ResponseWriter, r *http.Request, to *route) (context.Context, http.ResponseWriter, *http.Request, func()) {
	ctx = tracing.Extract(ctx, r.Header["Traceparent"], r.Header["Tracestate"])
	ctx, span := g.tracer.Start(ctx, spanName(r.Method, to), trace.WithSpanKind(trace.SpanKindServer))
	if !span.IsRecording() {
		return ctx, w, r, func() {}
	}
	describe(span, r, to)
	response := &tracedResponse{ResponseWriter: w}
	return ctx, response, r.WithContext(ctx), func() { response.end(span) }
}

// spanName is the method and the route. A path or method that is not served may be any text, and is not named.
func spanName(method string, to *route) string {
	name := knownMethod(method)
	if name == otherMethod {
		name = "HTTP"
	}
	if to == nil {
		return name
	}
	return name + " " + to.template
}

// otherMethod stands for the methods that the semantic conventions do not know.
const otherMethod = "_OTHER"

func knownMethod(method string) string {
	if loggableMethod(method) != method {
		return otherMethod
	}
	return method
}

// customerPath is a path whose customer is a number. Another one may be any text, and is left out.
var customerPath = regexp.MustCompile(`/customers/[0-9]{1,19}$`)

// describe sets the attributes of a request. No header becomes one: headers are the caller's.
func describe(span trace.Span, r *http.Request, to *route) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	span.SetAttributes(
		semconv.HTTPRequestMethodKey.String(knownMethod(r.Method)), semconv.URLScheme(scheme),
		semconv.NetworkProtocolVersion(strings.TrimPrefix(r.Proto, "HTTP/")),
	)
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		span.SetAttributes(semconv.ClientAddress(host))
	}
	if to == nil {
		return
	}
	span.SetAttributes(semconv.HTTPRoute(to.template))
	if customerPath.MatchString(r.URL.Path) {
		span.SetAttributes(semconv.URLPath(r.URL.Path))
	}
}

// tracedResponse notes the status of a response.
type tracedResponse struct {
	http.ResponseWriter

	status int // 0 before the response begins
}

// WriteHeader notes the status.
func (t *tracedResponse) WriteHeader(status int) {
	if t.status == 0 {
		t.status = status
	}
	t.ResponseWriter.WriteHeader(status)
}

// Write begins a response of status 200, unless it has begun.
func (t *tracedResponse) Write(content []byte) (int, error) {
	if t.status == 0 {
		t.status = http.StatusOK
	}
	return t.ResponseWriter.Write(content)
}

// Unwrap is for http.ResponseController.
func (t *tracedResponse) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// end ends the span with the status. Each handler responds, so a response that has not begun is a panic, which is answered
// with 500.
func (t *tracedResponse) end(span trace.Span) {
	if t.status == 0 {
		t.status = http.StatusInternalServerError
	}
	span.SetAttributes(semconv.HTTPResponseStatusCode(t.status))
	if t.status >= http.StatusInternalServerError {
		tracing.Fail(span, strconv.Itoa(t.status))
	}
	span.End()
}
