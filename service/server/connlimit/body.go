package connlimit

import (
	"context"
	"io"
)

// countedBody counts the bytes of a JSON body while it is read. Close gives them back.
type countedBody struct {
	io.ReadCloser

	on   *Conn
	held int
}

// CountBody counts the bytes of a body among the partially received requests of its connection, until it is closed.
func CountBody(ctx context.Context, body io.ReadCloser) io.ReadCloser {
	c := Of(ctx)
	if c == nil {
		return body
	}
	return &countedBody{ReadCloser: body, on: c}
}

func (b *countedBody) Read(p []byte) (int, error) {
	b.on.awaitCapacity()
	n, err := b.ReadCloser.Read(p)
	b.held += n
	b.on.hold(n)
	return n, err
}

// Close does not close the body itself: net/http does that after the response.
func (b *countedBody) Close() error {
	b.on.hold(-b.held)
	b.held = 0
	return nil
}
