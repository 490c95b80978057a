package server_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"
)

// rawConn connects to a transport for a short exchange, over TLS if there is a configuration for it.
func rawConn(t testing.TB, address string, over *tls.Config) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // usually it is closed already, by either side
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if over != nil {
		return tls.Client(conn, over)
	}
	return conn
}

// firstResponse sends the bytes of a request, and reads the header of the response.
func firstResponse(t testing.TB, conn net.Conn, request string) *http.Response {
	t.Helper()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// rawJSON sends the bytes of a request, without an HTTP client, to the HTTP/JSON gateway. It reads one response, and then
// to the end of the connection: the rest of the request must not be taken as another request.
func rawJSON(t testing.TB, conn net.Conn, request string) (*http.Response, []byte) {
	t.Helper()
	defer conn.Close() //nolint:errcheck // it has been read to its end
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	responses := bufio.NewReader(conn)
	response, err := http.ReadResponse(responses, nil)
	for err == nil && response.StatusCode == http.StatusContinue {
		response, err = http.ReadResponse(responses, nil)
	}
	if err != nil {
		t.Fatalf("%.200q: no response: %v", request, err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%.200q: %v", request, err)
	}
	_ = conn.(interface{ CloseWrite() error }).CloseWrite() // the gateway may have hung up before
	rest, _ := io.ReadAll(responses)
	if len(rest) > 0 && !strings.HasPrefix(string(rest), "HTTP/1.1 400 ") {
		t.Errorf("behind the response: %q", rest)
	}
	return response, body
}

// rawGRPC sends a call with headers that gRPC's own clients would not send, in their order. It returns the headers and
// the trailers of the response; the error says how the call was rejected without one.
func rawGRPC(t testing.TB, conn net.Conn, fields []hpack.HeaderField, request proto.Message) ([]hpack.HeaderField, error) {
	t.Helper()
	defer conn.Close() //nolint:errcheck // the rest is not read
	message, err := proto.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range fields {
		if err := encoder.WriteField(field); err != nil {
			t.Fatal(err)
		}
	}
	var sent bytes.Buffer
	sent.WriteString(http2.ClientPreface)
	writer := http2.NewFramer(&sent, nil)
	_ = writer.WriteSettings() // a buffer takes everything
	_ = writer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Next(16 << 10), EndHeaders: block.Len() == 0})
	for block.Len() > 0 {
		rest := block.Next(16 << 10)
		_ = writer.WriteContinuation(1, block.Len() == 0, rest)
	}
	_ = writer.WriteData(1, true, append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...))
	if _, err := conn.Write(sent.Bytes()); err != nil {
		return nil, err
	}
	return responseOf(http2.NewFramer(nil, conn))
}

// responseOf reads until the only call of a connection has ended.
func responseOf(reader *http2.Framer) ([]hpack.HeaderField, error) {
	reader.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var received []hpack.HeaderField
	for {
		frame, err := reader.ReadFrame()
		if err != nil {
			return received, err
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			received = append(received, frame.Fields...)
			if frame.StreamEnded() {
				return received, nil
			}
		case *http2.RSTStreamFrame:
			return received, fmt.Errorf("the call was reset: %s", frame.ErrCode)
		case *http2.GoAwayFrame:
			return received, fmt.Errorf("the connection was given up: %s", frame.ErrCode)
		}
	}
}
