package httpjson

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/trace"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// bounded gives each request its id, authenticates its caller, and starts its span.
func (g *gateway) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := interceptor.RequestID(r.Header.Values(interceptor.RequestIDHeader))
		r.Header.Set(interceptor.RequestIDHeader, id)
		w.Header().Set(interceptor.RequestIDHeader, id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			w.Header().Set("Cache-Control", "private, no-cache") // a cache must ask with If-None-Match each time
		}
		if hasAmbiguousLength(r) {
			w.Header().Set("Connection", "close")
		}
		if rejection := g.checkBrowser(r); rejection != nil {
			g.reject(w, r, rejection)
			return
		}
		ctx, rejection := g.entrance.Authenticate(r.Context(), id, r.RemoteAddr, presentedIn(r))
		if rejection != nil {
			w.Header().Set("Connection", "close") // instead of reading the body
			g.reject(w, r, rejection)
			return
		}
		route := g.routes.find(r.Method, r.URL.Path)
		if g.tracer == nil {
			g.call(ctx, w, r, route, next)
			return
		}
		ctx, traced, request, end := g.traced(ctx, w, r, route)
		defer end()
		g.call(ctx, traced, request, route, next)
	})
}

// call rejects what the service need not see of an authenticated request, reads the body within its bound, and lets
// grpc-gateway make the call. route is nil if the path and method are not served, which grpc-gateway finds by itself.
func (g *gateway) call(ctx context.Context, w http.ResponseWriter, r *http.Request, route *route, next http.Handler) {
	if rejection := checkTimeout(r); rejection != nil {
		g.rejectCall(w, r.WithContext(ctx), rejection)
		return
	}
	if problem := codingProblem(headerList(r.Header, "Content-Encoding")); problem != "" {
		w.Header().Set("Accept-Encoding", "identity") // RFC 9110, 12.5.3
		g.rejectCallAs(w, r.WithContext(ctx), apierror.HTTPContentEncoding, invalid("Content-Encoding", problem))
		return
	}
	if route != nil {
		if rejection := g.entrance.Shed(ctx, route.call); rejection != nil {
			if r.ContentLength < 0 || r.ContentLength > usualBody {
				w.Header().Set("Connection", "close") // net/http would read the body before it sends the response
			}
			interceptor.SetRejection(trace.SpanFromContext(ctx), rejection)
			g.writeOverloaded(w, rejection)
			return
		}
	}
	body, err := readBody(w, r)
	switch {
	case errors.Is(err, errBodyTooLarge):
		g.rejectCallAs(w, r.WithContext(ctx), apierror.HTTPBodyTooLarge, invalid("body", err.Error()))
		return
	case err != nil:
		g.rejectCall(w, r.WithContext(ctx), invalid("body", err.Error()))
		return
	}
	body.documented = strings.HasPrefix(r.URL.Path, documentedPath)
	r.Body = body
	ctx, rejection := g.preconditions(ctx, r, route)
	if rejection != nil {
		g.rejectCall(w, r.WithContext(ctx), rejection)
		return
	}
	r.Header = allowedHeader(r.Header)
	ctx, end := outlivingHalfClose(ctx)
	defer end()
	r = r.WithContext(ctx)
	if route != nil {
		r.Method = route.method // net/http sends no body in response to a HEAD, whatever is written
	}
	next.ServeHTTP(w, r)
}

// presentedIn returns the credentials and the origin of a request. HTTP clients open many connections, so that the host
// identifies them, without the port.
func presentedIn(r *http.Request) auth.Presented {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return auth.Presented{Authorization: r.Header.Values("Authorization"), TLS: r.TLS, From: "ip " + host}
}

// usualBody is the length in bytes up to which a body has usually arrived together with its header.
const usualBody = 4 << 10

// hasAmbiguousLength reports whether a proxy in front may see another end of the request than the gateway does: net/http
// accepts chunks together with a Content-Length, and a Content-Length with chunks in HTTP/1.0, which has none, without an
// error. The bytes behind the request must not be read as another request (RFC 9112, 6.1).
func hasAmbiguousLength(r *http.Request) bool {
	return len(r.TransferEncoding) > 0 || !r.ProtoAtLeast(1, 1)
}

// allowedHeader returns the headers that are used behind the gateway. All others end here, before grpc-gateway acts on
// them: it would answer a TE header in another form.
func allowedHeader(header http.Header) http.Header {
	allowed := http.Header{}
	for _, name := range []string{"Grpc-Timeout", interceptor.RequestIDHeader} {
		if values := header[name]; len(values) > 0 {
			allowed[name] = values
		}
	}
	return allowed
}
