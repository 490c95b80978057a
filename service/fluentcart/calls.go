package fluentcart

import (
	"context"
	"errors"
	"net/http"
)

// GetCustomer reads a customer. It sends up to three requests if they fail in a way that may be temporary. A customer
// that does not exist is an Error of kind NotFound.
//
// A response that a cache has kept, or that is older than what the client has seen of the customer, is not returned (F29).
// The customer is read once more. If that response is no better, the call fails with a BadAnswer caused by a CacheError.
func (c *Client) GetCustomer(ctx context.Context, id int64) (*Customer, error) {
	read, err := c.readCustomer(ctx, id)
	if _, cached := errors.AsType[*CacheError](err); !cached || c.Wait(ctx, 1) != nil {
		return read, err
	}
	c.retrying(http.MethodGet) // the retry budget is for a store that fails, and a cache's response costs the store nothing
	return c.readCustomer(ctx, id)
}

// readCustomer is GetCustomer without the second read after a cached response.
func (c *Client) readCustomer(ctx context.Context, id int64) (*Customer, error) {
	target := c.readTarget(id)
	c.retries.earn()
	got, err := c.repeat(ctx, func(as Credentials, resends int) (*response, error) {
		return c.do(ctx, c.getTimeout, &request{route: readRoute, method: http.MethodGet, target: target, as: as, expected: &Customer{ID: id}, resends: resends})
	})
	return got.read(err)
}

// PutCustomer replaces a customer: the store clears every field that update leaves out (F2). The id in the body is always
// that of the path: without it the customer's own e-mail counts as taken, and with another one the uniqueness check can be
// bypassed (F3).
//
// It returns the customer after the write. Fields that the response leaves out are taken from expected, whose ID also says
// which customer to write: the documented response holds an id, an e-mail and a name only.
//
// If ctx ends before the first byte is sent, nothing is sent. If it ends later, the error has the kind CallerLeft, and
// Await must be called: the store goes on with the write (F22), and closing the connection would only lose the response.
//
// A PUT of which one byte has left is never sent again, with one exception: the store refused the credentials before it
// dispatched the request, and they have been replaced since. mayStart, if set, is called right before the first byte of
// each attempt, so it may be called again; its error ends the call with an Error of kind NotBegun, and nothing is sent.
func (c *Client) PutCustomer(ctx context.Context, update Update, expected Customer, mayStart func() error) (*Customer, error) {
	body := update.body(expected.ID)
	got, err := c.repeat(ctx, func(as Credentials, resends int) (*response, error) {
		return c.do(ctx, c.putTimeout, &request{
			route: writeRoute, method: http.MethodPut, target: c.customerTarget(expected.ID), as: as, body: body, expected: &expected, mayStart: mayStart, resends: resends,
		})
	})
	return got.read(err)
}

// Await waits for the response to a write whose Error has the kind CallerLeft, until ctx ends or the write's own timeout
// is over. It returns what PutCustomer would have returned. It must be called once.
func (e *Error) Await(ctx context.Context) (*Customer, error) {
	got, err := e.await(ctx)
	return got.read(err)
}

// read returns the customer of the response, or the error. It notes the customer's version, and refuses a read that shows an
// older one (F29).
func (r *response) read(err error) (*Customer, error) {
	if err != nil {
		return nil, err
	}
	customer := &r.customer.customer
	switch {
	case r.method == http.MethodPut:
		r.client.versions.written(customer, r.customer.isComplete())
	case !r.client.versions.read(customer, r.began):
		return nil, r.error(BadAnswer, &CacheError{})
	}
	return customer, nil
}

// findCustomer looks for the customer in the body, and keeps it with the response. It reports whether there is one, and
// whether the body holds a refusal as well. A GET has the customer in `customer`, a PUT in `data` beside a message (F15).
// Errors may have a `data` too, with other contents: only a customer has an id.
func (r *response) findCustomer(expected *Customer) (found, refused bool) {
	r.customer = envelope{member: `"customer"`, expected: expected}
	if r.method == http.MethodPut {
		r.customer.member, r.customer.needsID = `"data"`, true
	}
	return r.customer.find(r.body)
}
