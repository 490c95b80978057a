package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/admission"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// gateway is a whole gateway on loopback: both transports, the service, the client, and a sandbox store.
type gateway struct {
	store   *sandbox.Store
	toStore *recorder
	grpc    customerv1.CustomerServiceClient
	conn    *grpc.ClientConn
	url     string // of the HTTP/JSON gateway
	json    http.Handler
	stop    context.CancelFunc
	drain   time.Duration
	finish  func(context.Context)

	callers  auth.Authenticator
	tls      *tls.Config
	notReady func() []string

	service *service.Service
	metrics *interceptor.Metrics
	spans   *spanRecorder
	servers *server.Server
	log     *lockedBuffer
	text    *lockedBuffer // if set, it gets the log as text too, and both are at debug level

	stopped chan error // what Run returned
}

// options are what differs from an ordinary gateway in front of an ordinary store.
type options struct {
	splitNames                             bool
	companion                              bool // the store has the companion
	config                                 service.Config
	getTimeout, putTimeout, defaultTimeout time.Duration
	// wrap returns a handler between the gateway and the store.
	wrap func(http.Handler) http.Handler
	// storeURL is the address of another store; empty is the sandbox.
	storeURL string
	// rate is how many requests a second the store gets; 0 is any number.
	rate float64
	// drain is the drain time; none is a long one.
	drain time.Duration
	// text is the gateway's.
	text *lockedBuffer
	// carry wraps the connections to the store.
	carry func(net.Conn) net.Conn
	// callers authenticates callers; nil accepts everyone.
	callers auth.Authenticator
	// tls is the configuration of both transports; nil is none.
	tls *tls.Config
	// traces keeps the spans of all calls, as if the operator had given an address for them.
	traces bool
	// client changes the configuration of the client of the store.
	client func(*fluentcart.Config)
}

// start runs a gateway until the test ends.
func start(t testing.TB, opts options) *gateway {
	t.Helper()
	g := &gateway{store: sandbox.New(sandbox.Config{SplitNames: opts.splitNames, Companion: opts.companion}), metrics: interceptor.NewMetrics(), callers: opts.callers, tls: opts.tls, log: &lockedBuffer{}, text: opts.text}
	if opts.traces {
		g.spans = newSpanRecorder(t)
	}
	var behind http.Handler = g.store
	if opts.wrap != nil {
		behind = opts.wrap(behind)
	}
	g.toStore = &recorder{next: behind}
	if opts.storeURL == "" {
		store := httptest.NewServer(g.toStore)
		t.Cleanup(store.Close)
		opts.storeURL = store.URL
	}
	transport := fluentcart.NewTransport()
	t.Cleanup(transport.CloseIdleConnections)
	if opts.carry != nil {
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return opts.carry(conn), err
		}
	}
	config := fluentcart.Config{
		BaseURL: opts.storeURL, Credentials: fluentcart.As(sandbox.AdminUsername, sandbox.AdminPassword), Transport: transport,
		Rate:       opts.rate,
		GetTimeout: or(opts.getTimeout, 10*time.Second), PutTimeout: or(opts.putTimeout, 10*time.Second),
	}
	if opts.client != nil {
		opts.client(&config)
	}
	client, err := fluentcart.New(config)
	if err != nil {
		t.Fatal(err)
	}
	opts.config.Store, opts.config.Logger = client, g.logger()
	customers, err := service.New(opts.config)
	if err != nil {
		t.Fatal(err)
	}
	g.finish, g.service, g.drain = customers.Close, customers, opts.drain
	watch(t, customers)
	t.Cleanup(func() { // after the transports have stopped
		if diff := cmp.Diff(admission.Load{}, customers.Load()); diff != "" {
			t.Errorf("what is in use at the end (-want +got):\n%s", diff)
		}
	})
	g.serve(t, customers, or(opts.defaultTimeout, 30*time.Second))
	return g
}

// watch lets the service probe for the companion until the test ends.
func watch(t testing.TB, customers *service.Service) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() { customers.Watch(ctx) })
	t.Cleanup(func() {
		cancel()
		watching.Wait()
	})
	if mode, _ := customers.Mode(); mode == service.Atomic {
		<-customers.Probed()
	}
}

// serve runs both transports in front of customers.
func (g *gateway) serve(t testing.TB, customers customerv1.CustomerServiceServer, defaultTimeout time.Duration) {
	t.Helper()
	servers, err := server.New(g.config(customers, defaultTimeout))
	if err != nil {
		t.Fatal(err)
	}
	g.json, g.servers = servers.Handler(), servers
	grpcListener, httpListener := listen(t), listen(t)
	ctx, stop := context.WithCancel(context.Background())
	g.stop = stop
	g.stopped = make(chan error, 1)
	go func() {
		g.stopped <- servers.Run(ctx, grpcListener, httpListener)
		close(g.stopped)
	}()
	t.Cleanup(func() { g.stopNow(t) })
	g.conn, err = grpc.NewClient(grpcListener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.conn.Close() })
	g.grpc = customerv1.NewCustomerServiceClient(g.conn)
	g.url = "http://" + httpListener.Addr().String()
}

// stopNow stops the gateway and waits until it has.
func (g *gateway) stopNow(t testing.TB) {
	t.Helper()
	g.stop()
	if err := <-g.stopped; err != nil {
		t.Errorf("the servers ended with: %v", err)
	}
}

func (g *gateway) logger() *slog.Logger {
	if g.text != nil {
		all := &slog.HandlerOptions{Level: slog.LevelDebug}
		return slog.New(interceptor.LogHandler(slog.NewMultiHandler(slog.NewJSONHandler(g.log, all), slog.NewTextHandler(g.text, all))))
	}
	return slog.New(interceptor.LogHandler(slog.NewJSONHandler(g.log, nil)))
}

func (g *gateway) config(customers customerv1.CustomerServiceServer, defaultTimeout time.Duration) server.Config {
	var shed func(context.Context, string, *auth.Caller) *apierror.Error
	if s, ok := customers.(*service.Service); ok {
		shed = s.Shed
	}
	return server.Config{
		Customers: customers, Logger: g.logger(), TLS: g.tls, Shed: shed,
		DefaultTimeout: defaultTimeout, DrainTimeout: or(g.drain, 10*time.Second), Finish: g.finish,
		Tracer:  g.spans.tracer(),
		Callers: g.callers, NotReady: g.notReady, Metrics: or(g.metrics, interceptor.NewMetrics()),
	}
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// send sends a JSON request and returns the response with its body read.
func (g *gateway) send(t testing.TB, method, path, body string, header http.Header) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, g.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for name, values := range header {
		request.Header[name] = values
	}
	request.Host = header.Get("Host")
	if header.Get("Transfer-Encoding") == "chunked" {
		request.ContentLength = -1
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, content
}

// recorder records the requests that reach the store.
type recorder struct {
	next http.Handler

	mu       sync.Mutex
	requests []recorded
}

type recorded struct {
	method string
	header http.Header
	body   []byte
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	request.Body = io.NopCloser(bytes.NewReader(body))
	if !isProbe(request) {
		r.mu.Lock()
		r.requests = append(r.requests, recorded{request.Method, request.Header.Clone(), body})
		r.mu.Unlock()
	}
	r.next.ServeHTTP(w, request)
}

// isProbe reports whether a request asks for the companion. No call causes it.
func isProbe(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/fluentcart-gateway/v1")
}

// take returns the requests since the last take.
func (r *recorder) take() []recorded {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.requests
	r.requests = nil
	return taken
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
