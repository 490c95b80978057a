package fluentcart

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
)

// cause is the reason why a connection failed, as a text for the log. The text holds nothing that the store sent: the
// parser of net/http quotes lines that it cannot parse, and the store may have put anything into them, so an error of an
// unknown type is shown by its type only.
type cause struct {
	text string
	err  error
}

// Error returns one line that holds nothing of what the store sent.
func (c *cause) Error() string { return c.text }

// Unwrap returns the original error, with its full text.
func (c *cause) Unwrap() error { return c.err }

// causeOf wraps err as a cause.
func causeOf(err error) error {
	var operation *net.OpError
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var timeout net.Error
	switch {
	case errors.As(err, &operation):
		return &cause{operation.Error(), err}
	case errors.As(err, &name):
		return &cause{name.Error(), err}
	case errors.As(err, &certificate):
		return &cause{certificate.Error(), err}
	case errors.As(err, &record):
		return &cause{record.Error(), err}
	case errors.As(err, &timeout) && timeout.Timeout():
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
