package fluentcart

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// cause is why the connection failed, for the log. Of an error that is not known to be free of it the text is left out:
// net/http quotes a line that it cannot read, and the store may have put anything into it.
type cause struct {
	text string
	err  error
}

// Error returns one line without what the store sent.
func (c *cause) Error() string { return c.text }

// Unwrap returns the error with all that it says.
func (c *cause) Unwrap() error { return c.err }

// causeOf drops the address too, which net/http puts into its errors: logs name the store once, at start.
func causeOf(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
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
	for _, known := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, http.ErrSchemeMismatch, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return &cause{known.Error(), err}
		}
	}
	innermost := err
	for inner := errors.Unwrap(innermost); inner != nil; inner = errors.Unwrap(innermost) {
		innermost = inner
	}
	return &cause{fmt.Sprintf("the connection failed, or what came is not HTTP (%T)", innermost), err}
}
