package server

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// The bounds on a client that speaks HTTP/2 to a server of HTTP/1.1: enough for one call of grpc-go, which sends SETTINGS,
// WINDOW_UPDATE, HEADERS and DATA, and leaves after the answer.
const (
	refusalTime      = 2 * time.Second
	refusalFrames    = 32
	refusalFrameSize = 16 << 10 // no server may allow less (RFC 9113, 4.2)
	refusalHeaders   = 16 << 10
)

// restOfPreface is the client preface without what looks like the header of a request (RFC 9113, 3.4).
const restOfPreface = "SM\r\n\r\n"

// refusingHTTP2 answers HTTP/2 with prior knowledge, which is a gRPC client at the wrong port. An answer of HTTP/1.1 would
// not reach its caller: grpcurl and others connect again until their time is over. refusal returns the error for a call.
func refusingHTTP2(next http.Handler, refusal func(*http.Request) *apierror.Error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "PRI" || r.ProtoMajor != 2 { // net/http passes on the client preface as a request
			next.ServeHTTP(w, r)
			return
		}
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler) // it closes the connection
		}
		defer conn.Close() //nolint:errcheck // the client has its answer, or is gone
		if conn.SetDeadline(time.Now().Add(refusalTime)) != nil {
			return
		}
		preface := make([]byte, len(restOfPreface))
		if _, err := io.ReadFull(buffered, preface); err != nil || string(preface) != restOfPreface {
			return
		}
		refuseCalls(http2.NewFramer(conn, buffered.Reader), refusal(r))
	})
}

// refuseCalls answers the calls of a connection until the client leaves, or its bounds are reached.
func refuseCalls(framer *http2.Framer, refusal *apierror.Error) {
	framer.SetMaxReadFrameSize(refusalFrameSize)
	framer.ReadMetaHeaders = hpack.NewDecoder(4<<10, nil)
	framer.MaxHeaderListSize = refusalHeaders
	err := framer.WriteSettings(http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: refusalHeaders})
	for range refusalFrames {
		if err != nil {
			return
		}
		var frame http2.Frame
		if frame, err = framer.ReadFrame(); err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				err = framer.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !frame.IsAck() {
				err = framer.WritePing(true, frame.Data)
			}
		case *http2.MetaHeadersFrame:
			err = refuseCall(framer, frame, refusal)
		}
	}
}

// refuseCall answers one call, and asks the client to make no other. A client that does not speak gRPC is asked to use
// HTTP/1.1, which curl then does.
func refuseCall(framer *http2.Framer, request *http2.MetaHeadersFrame, refusal *apierror.Error) error {
	isGRPC := slices.ContainsFunc(request.RegularFields(), func(field hpack.HeaderField) bool {
		return field.Name == "content-type" && strings.HasPrefix(field.Value, "application/grpc")
	})
	if !isGRPC {
		return framer.WriteRSTStream(request.StreamID, http2.ErrCodeHTTP11Required) // after GOAWAY, curl would not try again
	}
	err := framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: request.StreamID, BlockFragment: trailersOnly(refusal.GRPCStatus()), EndStream: true, EndHeaders: true,
	})
	if err != nil {
		return err
	}
	return framer.WriteGoAway(request.StreamID, http2.ErrCodeNo, []byte(refusal.Message()))
}

// trailersOnly encodes a status as the response of gRPC that has no message. Its code is not that of the error table: before a
// call, grpcurl asks for the service's description, and hides the text of NOT_FOUND and UNIMPLEMENTED.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
func trailersOnly(s *status.Status) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	content := s.Proto()
	content.Code = int32(codes.FailedPrecondition)
	details, _ := proto.Marshal(content) // without them a client has the code and the message
	for _, field := range []hpack.HeaderField{
		{Name: ":status", Value: "200"},
		{Name: "content-type", Value: "application/grpc"},
		{Name: "grpc-status", Value: strconv.Itoa(int(content.GetCode()))},
		{Name: "grpc-message", Value: url.PathEscape(s.Message())},
		{Name: "grpc-status-details-bin", Value: base64.RawStdEncoding.EncodeToString(details)},
	} {
		_ = encoder.WriteField(field) // a buffer takes everything
	}
	return block.Bytes()
}

// servedAt names the port of a transport for an error text.
func servedAt(transport string, listener net.Listener, flag string) string {
	if address, ok := listener.Addr().(*net.TCPAddr); ok {
		return fmt.Sprintf("%s is served on port %d (%s)", transport, address.Port, flag)
	}
	return transport + " is served at " + flag
}
