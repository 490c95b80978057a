package fluentcart

import (
	"errors"
	"net/textproto"
	"strings"
)

// HeaderError is the cause of a response whose header net/http does not parse. Other clients, such as curl, may be more
// tolerant.
type HeaderError struct {
	// Fault continues "the header of the response". It holds nothing that the store sent.
	Fault string
}

// Error returns one line for the log.
func (e *HeaderError) Error() string { return "the header of the response " + e.Fault }

// headerError returns a HeaderError for an error of http.ReadResponse that is about the header, and other errors as they are.
// full says that the header has reached its limit. net/textproto has no types for its errors, only texts, which end with the
// line.
func headerError(err error, full bool) error {
	if full {
		return &HeaderError{"is longer than 64 KiB"}
	}
	malformed, ok := errors.AsType[textproto.ProtocolError](err)
	if ok && strings.HasPrefix(string(malformed), "malformed MIME header") {
		return &HeaderError{"has a line without a colon, or one that begins with a space or holds a control character"}
	}
	return err
}
