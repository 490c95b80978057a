package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// asFlood makes the test binary a flood in a process of its own: its value is a flood as JSON.
const asFlood = "FLOOD_PROCESS"

// flood is what a hostile caller does, on many connections at once. It is bounded in time, and speaks to loopback only.
type flood struct {
	Kind        string
	Address     string
	Connections int           // at a time
	Again       time.Duration // for how long it connects again when a connection has ended
	Lasting     time.Duration // after which it gives up, if nobody has ended it
}

// floodReport is what came of a flood.
type floodReport struct {
	Opened, Ended int           // connections; ended are those that the gateway has closed, or refused all calls of
	Longest       time.Duration // that one of them lived
	Sent          int64         // bytes, of the connection that could send the most
}

// send runs a flood to its end. It has the processor only when nobody else wants it: what is measured is what a flood
// costs the gateway, and not what making one costs the machine.
func (f flood) send(ctx context.Context) (told floodReport, err error) {
	described, err := json.Marshal(f)
	if err != nil {
		return told, err
	}
	process := exec.CommandContext(ctx, "chrt", "--idle", "0", os.Args[0])
	process.Env = append(os.Environ(), asFlood+"="+string(described))
	process.Stderr = os.Stderr
	output, err := process.Output()
	if err != nil {
		return told, err
	}
	return told, json.Unmarshal(output, &told)
}

// runAsFlood is the process.
func runAsFlood(described string, stdout io.Writer) int {
	var f flood
	if err := json.Unmarshal([]byte(described), &f); err != nil || floods[f.Kind] == nil {
		return exitUsage
	}
	ctx, cancel := context.WithTimeout(context.Background(), f.Lasting)
	defer cancel()
	var told floodReport
	var mu sync.Mutex
	var all sync.WaitGroup
	start := time.Now()
	for range f.Connections {
		all.Go(func() {
			for first := true; first || time.Since(start) < f.Again; first = false {
				begin := time.Now()
				sent, err := f.on(ctx)
				mu.Lock()
				told.Opened++
				told.Sent = max(told.Sent, sent)
				told.Longest = max(told.Longest, time.Since(begin))
				if err != nil && ctx.Err() == nil {
					told.Ended++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	_ = json.NewEncoder(stdout).Encode(told)
	return exitOK
}

// on floods one connection until it is closed or the time is over. It returns how much it could send, and why it ended.
func (f flood) on(ctx context.Context) (int64, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", f.Address)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	counted := &countedConn{Conn: conn}
	err = floods[f.Kind](ctx, counted)
	if err == nil { // it has sent what it had to, and waits to be closed
		_, err = io.Copy(io.Discard, conn)
		if err == nil {
			err = io.EOF
		}
	}
	return counted.sent, err
}

type countedConn struct {
	net.Conn

	sent int64
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent += int64(n)
	return n, err
}

// floods are what is sent on each connection.
var floods = map[string]func(context.Context, net.Conn) error{
	"nothing":             func(context.Context, net.Conn) error { return nil },
	"half a preface":      once(http2.ClientPreface[:12]),
	"half a TLS greeting": once("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
	"half a header":       once("PATCH /v1/customers/1 HTTP/1.1\r\nHost: localhost\r\nX-"),
	"half a body":         once("PATCH /v1/customers/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{"),
	"a dripping header":   drip("PATCH /v1/customers/1 HTTP/1.1\r\nHost: localhost\r\n", "X-A: b\r\n"),
	"a dripping body":     drip("PATCH /v1/customers/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"),
	"HTTP/2":              func(_ context.Context, conn net.Conn) error { return greeted(conn, false, nothingMore, 0) },
	"256 MiB in chunks":   chunks(256 << 20),

	"calls that never come": func(_ context.Context, conn net.Conn) error { return greeted(conn, true, manyCalls(nil), 99) },
	"calls that never end": func(_ context.Context, conn net.Conn) error {
		return greeted(conn, true, manyCalls(make([]byte, 60_000)), 99)
	},
	"calls before the first": func(_ context.Context, conn net.Conn) error {
		return greeted(conn, false, manyCalls(make([]byte, 60_000)), 99)
	},
	"rapid reset": endlessly(func(f *http2.Framer, headers func(...hpack.HeaderField) []byte, stream uint32) error {
		err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: headers(), EndHeaders: true})
		return errors.Join(err, f.WriteRSTStream(stream, http2.ErrCodeCancel))
	}),
	"CONTINUATION":       begun(func(f *http2.Framer) error { return f.WriteContinuation(3, false, []byte{0x00, 1, 'a', 1, 'b'}) }),
	"empty CONTINUATION": begun(func(f *http2.Framer) error { return f.WriteContinuation(3, false, nil) }),
	"PING": endlessly(func(f *http2.Framer, _ func(...hpack.HeaderField) []byte, _ uint32) error {
		return f.WritePing(false, [8]byte{})
	}),
	"answers to PINGs": endlessly(func(f *http2.Framer, _ func(...hpack.HeaderField) []byte, _ uint32) error {
		return f.WritePing(true, [8]byte{})
	}),
	"SETTINGS": endlessly(func(f *http2.Framer, _ func(...hpack.HeaderField) []byte, _ uint32) error {
		return f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 65535})
	}),
	"WINDOW_UPDATE": endlessly(func(f *http2.Framer, _ func(...hpack.HeaderField) []byte, _ uint32) error {
		return f.WriteWindowUpdate(1<<20+1, 1)
	}),
	"PRIORITY": endlessly(func(f *http2.Framer, _ func(...hpack.HeaderField) []byte, stream uint32) error {
		return f.WritePriority(stream, http2.PriorityParam{StreamDep: 1 << 20})
	}),
	"unknown frames": endlessly(func(f *http2.Framer, _ func(...hpack.HeaderField) []byte, _ uint32) error {
		return f.WriteRawFrame(0x77, 0, 0, nil)
	}),
	"empty DATA":            onOneStream(nil),
	"DATA of one byte each": onOneStream([]byte{0}),
}

func nothingMore(*http2.Framer, func(...hpack.HeaderField) []byte) error { return nil }

// manyCalls begins 99 calls, sends a part of a message of 128 KiB in each, and no more.
func manyCalls(part []byte) func(*http2.Framer, func(...hpack.HeaderField) []byte) error {
	return func(f *http2.Framer, headers func(...hpack.HeaderField) []byte) error {
		for stream := uint32(3); stream <= 2*99+1; stream += 2 {
			err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: headers(), EndHeaders: true})
			if len(part) > 0 {
				err = errors.Join(err, f.WriteData(stream, false, []byte{0, 0, 2, 0, 0}))
				for piece := range slices.Chunk(part, 16<<10) {
					err = errors.Join(err, f.WriteData(stream, false, piece))
				}
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func once(text string) func(context.Context, net.Conn) error {
	return func(_ context.Context, conn net.Conn) error {
		_, err := io.WriteString(conn, text)
		return err
	}
}

// drip sends the end of a text again and again, a piece every half second.
func drip(begin, again string) func(context.Context, net.Conn) error {
	return func(ctx context.Context, conn net.Conn) error {
		if _, err := io.WriteString(conn, begin); err != nil {
			return err
		}
		closed := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, conn)
			closed <- errors.Join(io.EOF, err)
		}()
		piece := time.NewTicker(500 * time.Millisecond)
		defer piece.Stop()
		for {
			select {
			case err := <-closed:
				return err
			case <-ctx.Done():
				return ctx.Err()
			case <-piece.C:
				if _, err := io.WriteString(conn, again); err != nil {
					return err
				}
			}
		}
	}
}

// chunks sends a body of that size without saying so before.
func chunks(size int) func(context.Context, net.Conn) error {
	return func(_ context.Context, conn net.Conn) error {
		if _, err := io.WriteString(conn, "PATCH /v1/customers/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"); err != nil {
			return err
		}
		const piece = 32 << 10
		chunk := fmt.Appendf(nil, "%x\r\n%s\r\n", piece, bytes.Repeat([]byte{' '}, piece))
		for range size / piece {
			if _, err := conn.Write(chunk); err != nil {
				return err
			}
		}
		return nil
	}
}

// framed speaks HTTP/2, and has a call answered before it floods: who may call is no excuse.
func framed(then func(*http2.Framer, func(...hpack.HeaderField) []byte) error) func(context.Context, net.Conn) error {
	return func(_ context.Context, conn net.Conn) error { return greeted(conn, true, then, 0) }
}

// endlessly sends the same again and again; stream is a new one each time.
func endlessly(again func(f *http2.Framer, headers func(...hpack.HeaderField) []byte, stream uint32) error) func(context.Context, net.Conn) error {
	return framed(func(f *http2.Framer, headers func(...hpack.HeaderField) []byte) error {
		for stream := uint32(3); ; stream += 2 {
			if err := again(f, headers, stream); err != nil {
				return err
			}
		}
	})
}

// begun begins the headers of a call, and goes on endlessly.
func begun(again func(f *http2.Framer) error) func(context.Context, net.Conn) error {
	return framed(func(f *http2.Framer, headers func(...hpack.HeaderField) []byte) error {
		if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: headers()}); err != nil {
			return err
		}
		for {
			if err := again(f); err != nil {
				return err
			}
		}
	})
}

// onOneStream begins a call, and sends pieces of a message that does not end. It keeps to the flow control.
func onOneStream(piece []byte) func(context.Context, net.Conn) error {
	return framed(func(f *http2.Framer, headers func(...hpack.HeaderField) []byte) error {
		if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: headers(), EndHeaders: true}); err != nil {
			return err
		}
		if err := f.WriteData(3, false, []byte{0, 0, 1, 0xff, 0xff}); err != nil { // of a message of 128 KiB - 1
			return err
		}
		for window := 65535 - 5; ; window -= len(piece) {
			if window == 0 {
				return nil
			}
			if err := f.WriteData(3, false, piece); err != nil {
				return err
			}
		}
	})
}

// greeted opens HTTP/2, has a call answered if it is to, and floods until the connection is closed or that many calls
// are answered.
func greeted(conn net.Conn, calling bool, then func(*http2.Framer, func(...hpack.HeaderField) []byte) error, calls int) error {
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
			_ = encoder.WriteField(field) // a Buffer takes everything
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

// batched sends frames in packets, as who wants to send many would.
type batched struct {
	to      io.Writer
	waiting []byte
}

func (b *batched) Write(p []byte) (int, error) {
	b.waiting = append(b.waiting, p...)
	if len(b.waiting) < 4096 {
		return len(p), nil
	}
	return len(p), b.flush()
}

func (b *batched) flush() error {
	_, err := b.to.Write(b.waiting)
	b.waiting = b.waiting[:0]
	return err
}
