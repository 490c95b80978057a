package fluentcart

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// GetCustomer reads a customer, up to three times where it fails in a way that may pass. A customer that does not
// exist is an Error of kind NotFound.
func (c *Client) GetCustomer(ctx context.Context, id int64) (*Customer, error) {
	// customer_only leaves out the labels, which nobody here needs (F15).
	target := c.customerURL(id) + "?params%5Bcustomer_only%5D=yes"
	c.retries.earn()
	answer, err := c.repeat(ctx, func(as Credentials) (*answer, error) {
		return c.do(ctx, as, http.MethodGet, c.getTimeout, target, nil, nil)
	})
	if err != nil {
		return nil, err
	}
	customer := Customer{ID: id}
	if err := customer.decode(answer.customer); err != nil {
		return nil, answer.failure(err)
	}
	if missing := answer.customer.missing(replaced); missing != "" {
		// Merging without it would wipe it (F2).
		return nil, answer.failure(fmt.Errorf("the customer lacks %q", missing))
	}
	return &customer, nil
}

// PutCustomer replaces a customer: what update leaves out, the store clears (F2). The id in the body is always
// that of the path: without it the customer's own e-mail counts as taken, with another the check for
// uniqueness can be passed by (F3).
//
// It returns the store's message and the customer as it then was. What the answer does not tell is as in
// expected, which also says by its ID which customer it is: the documented answer holds an id, an e-mail and a
// name only.
//
// Once a byte of it has left it is never sent again, but for once where the store refused the credentials at the door, and
// they have been replaced since. begin, if there is one, is asked right before the first byte; its
// error ends the call as one of kind NotBegun, with nothing sent.
func (c *Client) PutCustomer(ctx context.Context, update Update, expected Customer, begin func() error) (string, *Customer, error) {
	body, err := json.Marshal(struct {
		ID int64 `json:"id"`
		Update
	}{expected.ID, update})
	if err != nil {
		return "", nil, &Error{Kind: Unreachable, Method: http.MethodPut, Err: err}
	}
	answer, err := c.repeat(ctx, func(as Credentials) (*answer, error) {
		return c.do(ctx, as, http.MethodPut, c.putTimeout, c.customerURL(expected.ID), body, begin)
	})
	if err != nil {
		return "", nil, err
	}
	if err := expected.decode(answer.customer); err != nil {
		return "", nil, answer.failure(err)
	}
	return plainMessage(answer.message), &expected, nil
}

// findCustomer looks for the customer in the body, and keeps it with the answer. A read has it in `customer`, a write in
// `data` beside a message (F15), where an error may have other things: a customer has an id.
func (a *answer) findCustomer() bool {
	if a.method == http.MethodGet {
		type envelope struct {
			Customer object `json:"customer"`
		}
		read, found := findJSON(a.body, func(e envelope) bool { return e.Customer != nil })
		a.customer = read.Customer
		return found
	}
	type envelope struct {
		Message text   `json:"message"`
		Data    object `json:"data"`
	}
	written, found := findJSON(a.body, func(e envelope) bool { return e.Data["id"] != nil })
	a.customer, a.message = written.Data, string(written.Message)
	return found
}
