package connlimit

import (
	"context"
	"io"
)

// countedBody is a body of the JSON door while it is read. Close lets go of what it holds.
type countedBody struct {
	io.ReadCloser

	on   *Conn
	held int
}

// CountBody counts a body for the connection of its request.
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

// Close is not the body's own, which net/http closes after the answer.
func (b *countedBody) Close() error {
	b.on.hold(-b.held)
	b.held = 0
	return nil
}
