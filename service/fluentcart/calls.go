package fluentcart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// GetCustomer reads a customer. A customer that does not exist is an Error of kind NotFound.
func (c *Client) GetCustomer(ctx context.Context, id int64) (*Customer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.getTimeout)
	defer cancel()
	// customer_only leaves out the labels, which nobody here needs (F15).
	answer, err := c.do(ctx, http.MethodGet, c.customerURL(id)+"?params%5Bcustomer_only%5D=yes", nil)
	if err != nil {
		return nil, err
	}
	type envelope struct {
		Customer object `json:"customer"`
	}
	read, found := findJSON(answer.body, func(e envelope) bool { return e.Customer != nil })
	if !found {
		return nil, answer.failure(errors.New("no customer in the answer"))
	}
	customer := Customer{ID: id}
	if err := customer.decode(read.Customer); err != nil {
		return nil, answer.failure(err)
	}
	if missing := read.Customer.missing(replaced); missing != "" {
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
func (c *Client) PutCustomer(ctx context.Context, update Update, expected Customer) (string, *Customer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.putTimeout)
	defer cancel()
	body, err := json.Marshal(struct {
		ID int64 `json:"id"`
		Update
	}{expected.ID, update})
	if err != nil {
		return "", nil, &Error{Kind: Unreachable, Method: http.MethodPut, Err: err}
	}
	answer, err := c.do(ctx, http.MethodPut, c.customerURL(expected.ID), body)
	if err != nil {
		return "", nil, err
	}
	type envelope struct {
		Message text   `json:"message"`
		Data    object `json:"data"`
	}
	written, found := findJSON(answer.body, func(e envelope) bool { return e.Data != nil })
	if !found {
		return "", nil, answer.failure(errors.New("no customer in the answer"))
	}
	if err := expected.decode(written.Data); err != nil {
		return "", nil, answer.failure(err)
	}
	return plainMessage(string(written.Message)), &expected, nil
}
