package httpjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
)

// body is the body of a request, read in full. The decoder stores its violations in it for the error handler, because
// the generated code between the two passes on only a text.
type body struct {
	bytes.Reader

	documented bool // it came on the path that FluentCart documents
	violations []apierror.Violation
}

func (b *body) Close() error { return nil }

// maxBody bounds a JSON body. JSON may write one byte as six (\u000a), and a message may have 64 KiB.
const maxBody = 6 * 64 << 10

// The faults of a body, as the description of a violation.
var (
	errBodyTooLarge   = fmt.Errorf("must be at most %d bytes", maxBody)
	errBodyIncomplete = errors.New("could not be read to its end")
)

// readBody reads a body of at most maxBody bytes.
func readBody(w http.ResponseWriter, r *http.Request) (*body, error) {
	if r.ContentLength > maxBody {
		w.Header().Set("Connection", "close") // instead of reading the rest
		return nil, errBodyTooLarge
	}
	counted := connlimit.CountBody(r.Context(), r.Body)
	defer counted.Close() //nolint:errcheck // it does not fail
	content, err := io.ReadAll(http.MaxBytesReader(w, counted, maxBody))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		w.Header().Set("Connection", "close") // as above
		return nil, errBodyTooLarge
	}
	if err != nil {
		return nil, errBodyIncomplete
	}
	read := &body{}
	read.Reset(content)
	return read, nil
}
