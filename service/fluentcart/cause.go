package fluentcart

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
)

// cause is the reason why a connection failed, as a text for the log. The text may hold the store's address and the names
// in its certificate, and nothing else that the store sent: the parser of net/http quotes lines that it cannot parse, and
// the store may have put anything into them, so an error of an unknown type is shown by its type only.
type cause struct {
	text string
	err  error
}

// Error returns one line for the log.
func (c *cause) Error() string { return c.text }

// Unwrap returns the original error, with its full text.
func (c *cause) Unwrap() error { return c.err }

// causeOf wraps err as a cause.
func causeOf(err error) error {
	if known, ok := errors.AsType[*net.OpError](err); ok {
		return &cause{known.Error(), err}
	}
	if known, ok := errors.AsType[*net.DNSError](err); ok {
		return &cause{known.Error(), err}
	}
	if known, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &cause{known.Error(), err}
	}
	if known, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return &cause{known.Error(), err}
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return &cause{"timeout", err}
	}
	for _, known := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return &cause{known.Error(), err}
		}
	}
	innermost := err
	for inner := errors.Unwrap(innermost); inner != nil; inner = errors.Unwrap(innermost) {
		innermost = inner
	}
	return &cause{fmt.Sprintf("the connection failed, or the response is not HTTP (%T)", innermost), err}
}
