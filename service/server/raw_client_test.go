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

// rawConn connects to a door, over TLS if there is a configuration for it, for a short exchange.
func rawConn(t testing.TB, address string, over *tls.Config) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // as a rule it has been, by either side
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if over != nil {
		return tls.Client(conn, over)
	}
	return conn
}

// rawJSON sends the bytes of a request, which no client has had a look at, to the JSON door. It reads one answer, and
// then to the end of the connection: what was left of the request must not be taken for another one.
func rawJSON(t testing.TB, conn net.Conn, request string) (*http.Response, []byte) {
	t.Helper()
	defer conn.Close() //nolint:errcheck // it has been read to its end
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	response, err := http.ReadResponse(answers, nil)
	for err == nil && response.StatusCode == http.StatusContinue {
		response, err = http.ReadResponse(answers, nil)
	}
	if err != nil {
		t.Fatalf("%.200q: no answer: %v", request, err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%.200q: %v", request, err)
	}
	_ = conn.(interface{ CloseWrite() error }).CloseWrite() // the gateway may have hung up before
	rest, _ := io.ReadAll(answers)
	if len(rest) > 0 && !strings.HasPrefix(string(rest), "HTTP/1.1 400 ") {
		t.Errorf("behind the answer: %q", rest)
	}
	return response, body
}

// rawGRPC sends a call with headers that gRPC's own clients would not send, in their order. It returns the headers and
// the trailers of the answer; an error is how the call was refused before there was one.
func rawGRPC(t testing.TB, conn net.Conn, fields []hpack.HeaderField, request proto.Message) ([]hpack.HeaderField, error) {
	t.Helper()
	defer conn.Close() //nolint:errcheck // whatever it is that was not read
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
	return answerOf(http2.NewFramer(nil, conn))
}

// answerOf reads until the only call of a connection has ended.
func answerOf(reader *http2.Framer) ([]hpack.HeaderField, error) {
	reader.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var answered []hpack.HeaderField
	for {
		frame, err := reader.ReadFrame()
		if err != nil {
			return answered, err
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			answered = append(answered, frame.Fields...)
			if frame.StreamEnded() {
				return answered, nil
			}
		case *http2.RSTStreamFrame:
			return answered, fmt.Errorf("the call was reset: %s", frame.ErrCode)
		case *http2.GoAwayFrame:
			return answered, fmt.Errorf("the connection was given up: %s", frame.ErrCode)
		}
	}
}
