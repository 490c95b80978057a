package e2e

import (
	"bytes"
	"errors"
	"io"
	"net"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// opened opens HTTP/2, makes a call that succeeds if calling is set, and floods until the connection is closed or that many
// calls have an answer.
func opened(conn net.Conn, calling bool, then func(*http2.Framer, func(...hpack.HeaderField) []byte) error, calls int) error {
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		return err
	}
	batch := &batched{to: conn}
	framer := http2.NewFramer(batch, conn)
	if err := errors.Join(framer.WriteSettings(), batch.flush()); err != nil {
		return err
	}
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	headers := func(more ...hpack.HeaderField) []byte {
		block.Reset()
		for _, field := range append([]hpack.HeaderField{
			{Name: ":method", Value: "POST"},
			{Name: ":scheme", Value: "http"},
			{Name: ":path", Value: customerv1.CustomerService_UpdateCustomer_FullMethodName},
			{Name: ":authority", Value: "localhost"},
			{Name: "content-type", Value: "application/grpc"},
			{Name: "te", Value: "trailers"},
		}, more...) {
			_ = encoder.WriteField(field) // a Buffer returns no errors
		}
		return bytes.Clone(block.Bytes())
	}
	if calling {
		request, err := proto.Marshal(&customerv1.UpdateCustomerRequest{CustomerId: 1, ValidateOnly: true, Customer: &customerv1.Customer{}})
		if err != nil {
			return err
		}
		message := append([]byte{0, 0, 0, 0, byte(len(request))}, request...)
		if err := errors.Join(
			framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: headers(), EndHeaders: true}),
			framer.WriteData(1, true, message), batch.flush()); err != nil {
			return err
		}
		for ended := false; !ended; {
			frame, err := framer.ReadFrame()
			if err != nil {
				return err
			}
			ended = frame.Header().StreamID == 1 && frame.Header().Flags.Has(http2.FlagHeadersEndStream)
		}
	}
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		for ended := 0; calls == 0 || ended < calls; {
			frame, err := framer.ReadFrame()
			if err != nil {
				return
			}
			if frame.Header().Type == http2.FrameHeaders && frame.Header().Flags.Has(http2.FlagHeadersEndStream) {
				ended++
			}
		}
	}()
	if err := errors.Join(then(framer, headers), batch.flush()); err != nil {
		return err
	}
	<-reading
	return io.EOF
}

// batched collects frames and sends them in packets of 4 KiB, like a client that wants to send many.
type batched struct {
	to      io.Writer
	pending []byte
}

func (b *batched) Write(p []byte) (int, error) {
	b.pending = append(b.pending, p...)
	if len(b.pending) < 4096 {
		return len(p), nil
	}
	return len(p), b.flush()
}

func (b *batched) flush() error {
	_, err := b.to.Write(b.pending)
	b.pending = b.pending[:0]
	return err
}
