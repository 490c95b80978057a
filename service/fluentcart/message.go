package fluentcart

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/tracing"
)

const (
	// maxBody bounds the body of a response, in bytes; a customer is about 1.5 KiB.
	maxBody = 1 << 20
	// maxHeader bounds the status line and the headers of a response, in bytes.
	maxHeader = 64 << 10
	// maxInformational bounds the responses of status 1xx before the final one.
	maxInformational = 5
)

// readFinal reads the header of the response, and skips informational ones. 101 is an error: no request asks for another
// protocol, and what follows would not be HTTP.
func readFinal(conn *conn, method string) (*http.Response, error) {
	for range maxInformational + 1 {
		answered, err := http.ReadResponse(conn.reader, &http.Request{Method: method})
		switch {
		case err != nil:
			return nil, headerError(err, conn.limit.N <= 0)
		case answered.StatusCode >= http.StatusOK:
			return answered, nil
		case answered.StatusCode < http.StatusContinue || answered.StatusCode == http.StatusSwitchingProtocols:
			return nil, errors.New("a status that is no response to the request")
		}
	}
	return nil, errors.New("too many informational responses")
}

// readBody reads a body to its end. Of one that is longer than maxBody bytes it returns the first maxBody+1. A coding that
// the gateway cannot read is a CodingError.
func readBody(answered *http.Response) ([]byte, error) {
	var read bytes.Buffer
	if size := answered.ContentLength; size > 0 && size <= maxBody {
		read.Grow(int(size) + bytes.MinRead) // what ReadFrom wants to have free at the end
	}
	if _, err := read.ReadFrom(io.LimitReader(answered.Body, maxBody+1)); err != nil {
		return nil, err
	}
	return decoded(read.Bytes(), answered.Header["Content-Encoding"])
}

// appendRequest appends the request as it is sent. No header depends on the gateway's caller, except the credentials and the trace.
func (c *Client) appendRequest(out []byte, r *request) []byte {
	overridden := c.putAsPost && (r.method == http.MethodPut || r.method == http.MethodDelete)
	if overridden {
		out = append(out, http.MethodPost...)
	} else {
		out = append(out, r.method...)
	}
	out = append(out, ' ')
	out = append(out, r.target...)
	if r.method == http.MethodGet { // each attempt has an address of its own
		separator := byte('?')
		if strings.Contains(r.target, "?") {
			separator = '&'
		}
		out = c.uniqueReads.appendParameter(append(out, separator))
	}
	out = tracing.AppendHeader(append(out, c.header...), r.trace)
	if overridden {
		out = append(append(append(out, "X-HTTP-Method-Override: "...), r.method...), "\r\n"...)
	}
	if r.method == http.MethodGet {
		out = append(out, uncachedHeader...)
	}
	if r.body != nil {
		out = append(out, "Content-Length: "...)
		out = strconv.AppendInt(out, int64(len(r.body)), 10)
		out = append(out, "\r\nContent-Type: application/json\r\n"...)
	}
	if r.as.Username != "" || !r.as.Password.Empty() {
		out = append(out, "Authorization: Basic "...)
		out = base64.StdEncoding.AppendEncode(out, []byte(r.as.Username+":"+r.as.Password.Reveal()))
		out = append(out, "\r\n"...)
	}
	out = append(out, "\r\n"...)
	return append(out, r.body...)
}
