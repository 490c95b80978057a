package server_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// rawCalls makes several calls on one connection, with headers and frames that gRPC's own clients would not send. A
// goroutine reads the responses, because a pipe in memory holds nothing.
type rawCalls struct {
	out     *http2.Framer
	encoder *hpack.Encoder
	block   bytes.Buffer
	stream  uint32 // of the last call

	responses chan rawResponse // closed when the connection ends
	failure   error            // then
}

// rawResponse is how a call ended: with its headers and trailers, or with a reset.
type rawResponse struct {
	stream uint32
	fields []hpack.HeaderField
	reset  string
}

func newRawCalls(t testing.TB, conn net.Conn) *rawCalls {
	t.Helper()
	c := &rawCalls{out: http2.NewFramer(conn, nil), responses: make(chan rawResponse, 100)}
	c.encoder = hpack.NewEncoder(&c.block)
	go c.read(http2.NewFramer(nil, conn))
	_, err := io.WriteString(conn, http2.ClientPreface)
	if err == nil {
		err = c.out.WriteSettings()
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *rawCalls) read(in *http2.Framer) {
	defer close(c.responses)
	in.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	received := map[uint32][]hpack.HeaderField{}
	for {
		frame, err := in.ReadFrame()
		if err != nil {
			c.failure = err
			return
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			received[frame.StreamID] = append(received[frame.StreamID], frame.Fields...)
			if frame.StreamEnded() {
				c.responses <- rawResponse{stream: frame.StreamID, fields: received[frame.StreamID]}
			}
		case *http2.RSTStreamFrame:
			c.responses <- rawResponse{stream: frame.StreamID, reset: frame.ErrCode.String()}
		case *http2.GoAwayFrame:
			c.failure = fmt.Errorf("GOAWAY: %s %s", frame.ErrCode, frame.DebugData())
			return
		}
	}
}

// begin sends the headers of an update, in frames of 16 KiB, and returns its stream.
func (c *rawCalls) begin(t testing.TB, metadata ...hpack.HeaderField) uint32 {
	t.Helper()
	c.stream += 2
	id := c.stream - 1
	for _, field := range append([]hpack.HeaderField{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: customerv1.CustomerService_UpdateCustomer_FullMethodName},
		{Name: ":authority", Value: "gateway.example"},
		{Name: "content-type", Value: "application/grpc"},
	}, metadata...) {
		_ = c.encoder.WriteField(field) // a buffer takes everything
	}
	err := c.out.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: c.block.Next(16 << 10), EndHeaders: c.block.Len() == 0})
	for c.block.Len() > 0 && err == nil {
		rest := c.block.Next(16 << 10)
		err = c.out.WriteContinuation(id, c.block.Len() == 0, rest)
	}
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// send sends the request of a call.
func (c *rawCalls) send(t testing.TB, stream uint32, request proto.Message) {
	t.Helper()
	message, err := proto.Marshal(request)
	if err == nil {
		err = c.out.WriteData(stream, true, append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// outcome returns how a call ended. Its error says that the connection ended.
func (c *rawCalls) outcome(stream uint32) (rawResponse, error) {
	for response := range c.responses {
		if response.stream == stream {
			return response, nil
		}
	}
	return rawResponse{}, c.failure
}
