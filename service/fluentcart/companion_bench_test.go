package fluentcart_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// promptConn is a connection to a store that has its response ready when a request was written.
type promptConn struct {
	responses map[string]string // by method
	unread    strings.Reader
}

func (c *promptConn) Write(request []byte) (int, error) {
	method, _, _ := bytes.Cut(request, []byte{' '})
	c.unread.Reset(c.responses[string(method)])
	return len(request), nil
}

func (c *promptConn) Read(p []byte) (int, error)       { return c.unread.Read(p) }
func (c *promptConn) Close() error                     { return nil }
func (c *promptConn) LocalAddr() net.Addr              { return nil }
func (c *promptConn) RemoteAddr() net.Addr             { return nil }
func (c *promptConn) SetDeadline(time.Time) error      { return nil }
func (c *promptConn) SetReadDeadline(time.Time) error  { return nil }
func (c *promptConn) SetWriteDeadline(time.Time) error { return nil }

// benchmarkedID is the id of the requests to the companion.
const benchmarkedID = "6f1b0e0c-2c4b-4f0a-9a55-5f0f3c1d7a10"

// newPromptStore returns a client of a store that costs next to nothing.
func newPromptStore(b *testing.B) *fluentcart.Client {
	b.Helper()
	const shown = `"contact_id":"0","purchase_value":{"USD":24900},"purchase_count":"3","ltv":"24900","first_purchase_date":"2025-06-10 09:15:00",` +
		`"last_purchase_date":"2025-09-20 14:30:00","uuid":"11111111111111111111111111111111","created_at":"2025-06-10T09:15:00+00:00",` +
		`"updated_at":"2026-11-23T17:47:52+00:00","full_name":"Ann Lee","photo":"https://example.com/avatar/1?s=100&#038;d=mm","country_name":"France",` +
		`"formatted_address":{"country":"France","state":"Ile-de-France","city":"Paris","postcode":"75001"},"user_link":""`
	const raw = `"contact_id":"0","purchase_value":"{\"USD\":24900}","purchase_count":"3","ltv":"24900","first_purchase_date":"2025-06-10 09:15:00",` +
		`"last_purchase_date":"2025-09-20 14:30:00","uuid":"11111111111111111111111111111111","created_at":"2025-06-10 09:15:00","updated_at":"2026-11-23 17:47:51"`
	responses := map[string]string{}
	for method, body := range map[string]string{
		"GET":  `{"customer":{` + annsColumns + `,` + shown + `}}`,
		"PUT":  `{"message":"ok","data":{` + annsColumns + `,` + shown + `}}`,
		"POST": `{"fluentcart_gateway":1,"request_id":"` + benchmarkedID + `","result":"applied","version":"mZ0qAzVd2dBaRkXvlbYtTg","before":{` + annsColumns + `,` + raw + `},"customer":{` + annsColumns + `,` + shown + `},"changed":["city"]}`,
	} {
		responses[method] = fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	transport := fluentcart.NewTransport()
	transport.DialContext = func(context.Context, string, string) (net.Conn, error) { return &promptConn{responses: responses}, nil }
	b.Cleanup(transport.CloseIdleConnections)
	return newClientOf(b, fluentcart.Config{BaseURL: "http://store.example", Transport: transport})
}

// BenchmarkReadAndWrite is the baseline of BenchmarkApplyPartial: the read and the write of an update in write mode merge.
func BenchmarkReadAndWrite(b *testing.B) {
	client := newPromptStore(b)
	city := "Lyon"
	b.ReportAllocs()
	for b.Loop() {
		read, err := client.GetCustomer(b.Context(), 1)
		if err != nil {
			b.Fatal(err)
		}
		update := fluentcart.Update{
			Email: fluentcart.Send(&read.Email), FirstName: fluentcart.Send(&read.FirstName), LastName: fluentcart.Send(&read.LastName),
			City: fluentcart.Send(&city), State: fluentcart.Send(read.State), Country: fluentcart.Send(read.Country), Postcode: fluentcart.Send(read.Postcode),
			Status: fluentcart.Send(read.Status), Notes: fluentcart.Send(&read.Notes), UserID: fluentcart.Send(read.UserID), AOV: fluentcart.Send(read.AOV),
		}
		if written, err := client.PutCustomer(b.Context(), update, *read, nil); err != nil || written.ID != 1 {
			b.Fatalf("%v, %v", written, err)
		}
	}
}

// BenchmarkApplyPartial measures one atomic update in the client: building the request and reading the answer. The store and
// the network are not in it.
func BenchmarkApplyPartial(b *testing.B) {
	client := newPromptStore(b)
	city := "Lyon"
	b.ReportAllocs()
	for b.Loop() {
		partial := fluentcart.Partial{CustomerID: 1, RequestID: benchmarkedID, Set: fluentcart.Update{City: fluentcart.Send(&city)}}
		if answer, err := client.ApplyPartial(b.Context(), partial, nil); err != nil || answer.Result != fluentcart.Applied || answer.Customer.ID != 1 {
			b.Fatalf("%v, %v", answer, err)
		}
	}
}
