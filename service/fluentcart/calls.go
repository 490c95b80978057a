package fluentcart

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// GetCustomer reads a customer. It sends up to three requests if they fail in a way that may be temporary. A customer
// that does not exist is an Error of kind NotFound.
func (c *Client) GetCustomer(ctx context.Context, id int64) (*Customer, error) {
	// customer_only leaves out the labels, which the gateway does not use (F15).
	target := c.customerPath(id) + "?params%5Bcustomer_only%5D=yes"
	c.retries.earn()
	got, err := c.repeat(ctx, func(as Credentials) (*response, error) {
		return c.do(ctx, c.getTimeout, &request{method: http.MethodGet, target: target, as: as})
	})
	if err != nil {
		return nil, err
	}
	customer := Customer{ID: id}
	if err := customer.decode(got.customer); err != nil {
		return nil, got.failure(err)
	}
	for _, column := range replaced {
		if _, ok := got.customer[column]; !ok { // merging without this column would clear it (F2)
			return nil, got.failure(fmt.Errorf("the customer lacks %q", column))
		}
	}
	return &customer, nil
}

// PutCustomer replaces a customer: the store clears every field that update leaves out (F2). The id in the body is always
// that of the path: without it the customer's own e-mail counts as taken, and with another one the uniqueness check can be
// bypassed (F3).
//
// It returns the customer after the write. Fields that the response leaves out are taken from expected, whose ID also says
// which customer to write: the documented response holds an id, an e-mail and a name only.
//
// A PUT of which one byte has left is never sent again, with one exception: the store refused the credentials before it
// dispatched the request, and they have been replaced since. mayStart, if set, is called right before the first byte of
// each attempt, so it may be called again; its error ends the call with an Error of kind NotBegun, and nothing is sent.
func (c *Client) PutCustomer(ctx context.Context, update Update, expected Customer, mayStart func() error) (*Customer, error) {
	body, err := json.Marshal(struct {
		ID int64 `json:"id"`
		Update
	}{expected.ID, update})
	if err != nil {
		return nil, &Error{Kind: Unreachable, Method: http.MethodPut, Err: err}
	}
	got, err := c.repeat(ctx, func(as Credentials) (*response, error) {
		return c.do(ctx, c.putTimeout, &request{method: http.MethodPut, target: c.customerPath(expected.ID), as: as, body: body, mayStart: mayStart})
	})
	if err != nil {
		return nil, err
	}
	if err := expected.decode(got.customer); err != nil {
		return nil, got.failure(err)
	}
	return &expected, nil
}

// findCustomer looks for the customer in the body, and keeps it with the response. A GET has it in `customer`, a PUT in
// `data` beside a message (F15). Errors may have a `data` too, with other contents: only a customer has an id.
func (r *response) findCustomer() bool {
	if r.method == http.MethodGet {
		type envelope struct {
			Customer object `json:"customer"`
		}
		read, found := findJSON(r.body, func(e envelope) bool { return e.Customer != nil })
		r.customer = read.Customer
		return found
	}
	type envelope struct {
		Data object `json:"data"`
	}
	written, found := findJSON(r.body, func(e envelope) bool { return e.Data["id"] != nil })
	r.customer = written.Data
	return found
}
