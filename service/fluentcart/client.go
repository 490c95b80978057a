// Package fluentcart is a small client for the customer calls of a FluentCart store's REST API.
//
// It reads what a real store answers, not only what its documentation says: BEHAVIOUR.md beside this file lists
// the measured facts, quoted in comments as F1 to F24. Every failure is an [*Error] that says what the store
// did with the request, so that the caller need not look at HTTP.
package fluentcart

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"
)

// Where WordPress mounts its REST API, and FluentCart's in it, below the address of the site.
const (
	restPath = "/wp-json"
	apiPath  = restPath + "/fluent-cart/v2"
)

// Config is what a Client needs to know.
type Config struct {
	// BaseURL is the address of the WordPress site, with any path prefix, such as https://example.com/shop.
	// An address that already ends in /wp-json/fluent-cart/v2 is taken as well.
	BaseURL string
	// Credentials returns in whose name a request is sent; it is asked for each. Nil sends none.
	Credentials func(context.Context) Credentials
	// Renew, if set, is called when the store has refused credentials. If Credentials then returns others, the request is
	// sent again with those, once.
	Renew func()
	// GetTimeout and PutTimeout bound one GET and one PUT, from dialling to the last byte of the answer.
	GetTimeout, PutTimeout time.Duration
	// UserAgent is sent with each request.
	UserAgent string
	// Rate is how many requests a second the store gets at the most; 0 sets no bound.
	Rate float64
	// Transport carries the requests; nil is NewTransport. It must speak HTTP/1, and tell httptrace's GotConn before it
	// sends, as an http.Transport does: what is told as not sent, and when begin is asked, hang on that.
	Transport http.RoundTripper
	// Ended, if set, is told of each request that was sent, or could not be, when it has ended: what the store said, 0
	// for a success, and how long that took. Retrying, if set, is told when one is sent again. Both must return soon.
	Ended    func(method string, outcome Kind, took time.Duration)
	Retrying func(method string)
	// BreakerChanged, if set, is told when the client begins to leave a failing store alone, and when the store is
	// back. It must return soon, and not call the client: other calls wait meanwhile.
	BreakerChanged func(open bool)
}

// Client calls one store. It is safe for concurrent use.
type Client struct {
	customers   string // URL of the customers, without a trailing slash
	header      http.Header
	credentials func(context.Context) Credentials
	renew       func()
	getTimeout  time.Duration
	putTimeout  time.Duration
	http        http.Client
	breaker     *gobreaker.CircuitBreaker[*answer]
	retries     budget
	rate        *rate.Limiter
	accounts    accounts
	ended       func(method string, outcome Kind, took time.Duration)
	retrying    func(method string)
}

// New returns a client for the store of cfg. It connects to nothing.
func New(cfg Config) (*Client, error) {
	base, err := ParseBaseURL(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	if cfg.GetTimeout <= 0 || cfg.PutTimeout <= 0 {
		return nil, errors.New("fluentcart: timeouts must be positive")
	}
	transport := cfg.Transport
	if transport == nil {
		transport = NewTransport()
	}
	if cfg.Credentials == nil {
		cfg.Credentials = As("", "")
	}
	if cfg.Ended == nil {
		cfg.Ended = func(string, Kind, time.Duration) {}
	}
	if cfg.Retrying == nil {
		cfg.Retrying = func(string) {}
	}
	return &Client{
		customers:   base.JoinPath(apiPath, "customers").String(),
		header:      requestHeader(cfg),
		credentials: cfg.Credentials,
		renew:       cfg.Renew,
		getTimeout:  cfg.GetTimeout,
		putTimeout:  cfg.PutTimeout,
		breaker:     newBreaker(cfg.BreakerChanged),
		rate:        newLimiter(cfg.Rate),
		ended:       cfg.Ended,
		retrying:    cfg.Retrying,
		http: http.Client{
			Transport: transport,
			// Following a redirect would turn a PUT into a GET whose 200 looks like success, and could
			// carry the credentials elsewhere (F21).
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// ParseBaseURL checks the address of a store and returns it without a trailing slash and without the path of
// the API. Its errors say what would be right and never repeat the address, which may hold credentials.
func ParseBaseURL(raw string) (*url.URL, error) {
	base, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("not a URL; give the address of the WordPress site, such as https://shop.example.com")
	case base.Scheme != "https" && base.Scheme != "http":
		return nil, errors.New("must begin with https:// (or http:// for a store on this machine)")
	case base.Hostname() == "":
		return nil, errors.New("has no host; give the address of the WordPress site, such as https://shop.example.com")
	case !validPort(base.Port()):
		return nil, errors.New("has a port that is not a number from 1 to 65535")
	case base.User != nil:
		return nil, errors.New("must not hold a user name or password; those have settings of their own")
	case base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, errors.New("must not have a query or a fragment (a part after ? or #)")
	}
	base.Path = strings.TrimRight(base.Path, "/")
	for _, end := range []string{apiPath, restPath} {
		base.Path = strings.TrimRight(strings.TrimSuffix(base.Path, end), "/")
	}
	base.RawPath = ""
	return base, nil
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// NewTransport returns the transport that a Client uses unless it is given another. It trusts the certificates that the
// system does; Trusting makes it trust others.
func NewTransport() *http.Transport {
	return &http.Transport{
		// No Proxy: the credentials of the shop go to the shop, whatever the environment says.
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: handshakeTimeout,
		// HTTP/1 only. Over HTTP/2 net/http sends a request again, a PUT too, when the server resets its stream in a
		// certain way; over HTTP/1 only when not one byte has left.
		Protocols: http1(),
		// A store has a handful of PHP workers (F24): more idle connections than this are never of use.
		MaxIdleConnsPerHost: 64,
		// Shorter than the keep-alive of usual servers (Apache and LiteSpeed: 5 s, nginx: 75 s): a connection is
		// dropped here before the store does it. Should a read meet one that is closed all the same, net/http
		// sends it again, and the write then takes the connection that the read has just used.
		IdleConnTimeout:        4 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

const handshakeTimeout = 5 * time.Second

// Trusting lets a transport trust the certificates that the newest roots vouch for, and no others. They are asked for
// with each new connection.
func Trusting(transport *http.Transport, roots func() *x509.CertPool) {
	transport.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
		defer cancel()
		dialer := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots(), NextProtos: []string{"http/1.1"}}}
		return dialer.DialContext(ctx, network, address)
	}
}

func http1() *http.Protocols {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &protocols
}

// requestHeader is all that a request has besides its credentials, and what its body needs. Nothing of a caller goes
// into it.
func requestHeader(cfg Config) http.Header {
	header := http.Header{"Accept": {"application/json"}}
	if cfg.UserAgent != "" {
		header.Set("User-Agent", cfg.UserAgent)
	}
	return header
}

// customerURL formats the id itself: the store reads `12abc` as 12 (F17).
func (c *Client) customerURL(id int64) string {
	return c.customers + "/" + strconv.FormatInt(id, 10)
}

// String names the store, so that printing a Client never shows its credentials.
func (c *Client) String() string { return "FluentCart store at " + c.customers }

// newLimiter lets a read and its write go together, however low the rate.
func newLimiter(perSecond float64) *rate.Limiter {
	if perSecond <= 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(perSecond), max(2, int(perSecond)))
}

// Wait waits until the rate allows that many requests, at most two. It returns an error, at once, if that will not be
// before the deadline of ctx. The first try of each call is for its caller to wait for, so that a write is not begun
// and then held up.
func (c *Client) Wait(ctx context.Context, requests int) error { return c.rate.WaitN(ctx, requests) }
