// Package fluentcart is a client for the customer calls of a FluentCart store's REST API.
//
// It handles what a real store responds, not only what its documentation says: BEHAVIOUR.md beside this file lists the
// measured facts, which comments quote as F1 to F34. Every failure is an [*Error] that says what the store did with the
// request, so that callers do not depend on HTTP.
package fluentcart

import (
	"context"
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/net/http/httpguts"
	"golang.org/x/time/rate"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/tracing"
)

// Config is what a Client needs to know.
type Config struct {
	// BaseURL is the address of the WordPress site, with any path prefix, such as https://example.com/shop. The addresses
	// that ParseBaseURL accepts work as well.
	BaseURL string
	// Credentials returns the credentials of a request. It is called for each request; nil sends none.
	Credentials func(context.Context) Credentials
	// Renew, if set, is called when the store has refused credentials. If Credentials then returns others, the request is
	// sent again with those, once.
	Renew func()
	// GetTimeout and PutTimeout bound one GET and one PUT, from dialling to the last byte of the response.
	GetTimeout, PutTimeout time.Duration
	// PutAsPost sends each PUT as a POST with X-HTTP-Method-Override: PUT, which WordPress honors, for hosts that refuse
	// PUT (F30), and each DELETE likewise. Nothing else about it changes: it is a PUT to the retries, the breaker and the
	// errors.
	PutAsPost bool
	// UserAgent is sent with each request.
	UserAgent string
	// Rate is the largest number of requests a second that the store gets; 0 sets no bound.
	Rate float64
	// Transport keeps the connections; nil is a new one. A transport belongs to one client.
	Transport *Transport
	// Ended, if set, is called after each request that was sent, or could not be sent, with the kind of its failure (0 for
	// a success) and its duration. Retrying, if set, is called when a request is sent again. Both must return soon.
	Ended    func(method string, outcome Kind, took time.Duration)
	Retrying func(method string)
	// BreakerChanged, if set, is called when the circuit breaker opens, and when it closes because the store is back. It
	// must return soon, and must not call the client: other calls wait meanwhile.
	BreakerChanged func(open bool)
}

// Client calls one store. It is safe for concurrent use.
type Client struct {
	url         string // of the customers, without a trailing slash
	origin      string // the scheme and host of url
	target      string // the path and query of url
	companion   string // the path and query of the companion's routes
	header      string // what follows the target in each request: the protocol and the headers that never change
	credentials func(context.Context) Credentials
	renew       func()
	getTimeout  time.Duration
	putTimeout  time.Duration
	putAsPost   bool
	transport   *Transport
	breaker     *gobreaker.TwoStepCircuitBreaker[*response]
	retries     budget
	uniqueReads *uniqueReads
	versions    *versions
	rate        *rate.Limiter
	refused     refusedCredentials
	ended       func(method string, outcome Kind, took time.Duration)
	retrying    func(method string)
	traced      traced
}

// New returns a client for the store of cfg. It opens no connection.
func New(cfg Config) (*Client, error) {
	base, err := ParseBaseURL(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	if cfg.GetTimeout <= 0 || cfg.PutTimeout <= 0 {
		return nil, errors.New("fluentcart: timeouts must be positive")
	}
	if cfg.Transport == nil {
		cfg.Transport = NewTransport()
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
	host, err := httpguts.PunycodeHostPort(base.Host)
	if err != nil {
		return nil, errors.New("the host name of the store is not a valid domain name; give it as a browser's address bar shows it")
	}
	base.Host = host
	cfg.Transport.reach(base)
	customers := routeURL(base, customersRoute)
	target, companion := targetOf(customers), targetOf(routeURL(base, companionRoute))
	return &Client{
		url:         customers.String(),
		origin:      base.Scheme + "://" + base.Host,
		target:      target,
		companion:   companion,
		header:      constantHeader(host, cfg.UserAgent),
		credentials: cfg.Credentials,
		renew:       cfg.Renew,
		getTimeout:  cfg.GetTimeout,
		putTimeout:  cfg.PutTimeout,
		putAsPost:   cfg.PutAsPost,
		transport:   cfg.Transport,
		breaker:     newBreaker(cfg.BreakerChanged),
		uniqueReads: newUniqueReads(),
		versions:    newVersions(),
		rate:        newLimiter(cfg.Rate),
		ended:       cfg.Ended,
		retrying:    cfg.Retrying,
		traced:      newTraced(target, companion, cfg.Transport.address, cfg.PutAsPost),
	}, nil
}

// constantHeader returns the end of the request line, and the headers that every request has.
func constantHeader(host, userAgent string) string {
	header := " HTTP/1.1\r\nHost: " + host + "\r\n"
	if userAgent != "" {
		header += "User-Agent: " + userAgent + "\r\n"
	}
	return header + "Accept: application/json\r\nAccept-Encoding: gzip\r\n"
}

// String names the store, so that printing a Client never shows its credentials.
func (c *Client) String() string { return "FluentCart store at " + c.url }

// newLimiter returns a limiter of the requests. Its burst is at least 2, so that Wait can allow a read and its write
// together, however low the rate.
func newLimiter(perSecond float64) *rate.Limiter {
	if perSecond <= 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(perSecond), max(2, int(perSecond)))
}

// Wait waits until the rate allows that many requests, at most two. It returns an error at once if that will be after the
// deadline of ctx. GetCustomer and PutCustomer wait only before they send a request again: their callers wait for the first
// requests of a whole update, so that the rate does not hold up the write after its read.
func (c *Client) Wait(ctx context.Context, requests int) error {
	if c.rate.Limit() == rate.Inf {
		return c.rate.WaitN(ctx, requests) // it does not wait
	}
	_, span := tracing.Start(ctx, "rate")
	defer span.End()
	err := c.rate.WaitN(ctx, requests)
	if err != nil {
		tracing.Fail(span, "rate_limited")
	}
	return err
}
