package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// floods are the kinds of floods: each sends on one connection.
var floods = map[string]func(context.Context, net.Conn) error{
	"nothing":                func(context.Context, net.Conn) error { return nil },
	"half a preface":         once(http2.ClientPreface[:12]),
	"half a TLS ClientHello": once("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
	"half a header":          once("PATCH /v1/customers/1 HTTP/1.1\r\nHost: localhost\r\nX-"),
	"half a body":            once("PATCH /v1/customers/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{"),
	"a dripping header":      drip("PATCH /v1/customers/1 HTTP/1.1\r\nHost: localhost\r\n", "X-A: b\r\n"),
	"a dripping body":        drip("PATCH /v1/customers/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"),
	"HTTP/2":                 func(_ context.Context, conn net.Conn) error { return opened(conn, false, nothingElse, 0) },
	"256 MiB in chunks":      chunks(256 << 20),

	"calls that never come": func(_ context.Context, conn net.Conn) error { return opened(conn, true, manyCalls(nil), 99) },
	"calls that never end": func(_ context.Context, conn net.Conn) error {
		return opened(conn, true, manyCalls(make([]byte, 60_000)), 99)
	},
	"calls before the first": func(_ context.Context, conn net.Conn) error {
		return opened(conn, false, manyCalls(make([]byte, 60_000)), 99)
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

func nothingElse(*http2.Framer, func(...hpack.HeaderField) []byte) error { return nil }

// manyCalls begins 99 calls, and sends a part of a message of 128 KiB in each.
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

// drip sends the end of a text repeatedly, a piece every half second.
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

// chunks sends a body of that size without a Content-Length.
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

// framed speaks HTTP/2, and makes one call that succeeds before it floods: callers that are allowed may be hostile too.
func framed(then func(*http2.Framer, func(...hpack.HeaderField) []byte) error) func(context.Context, net.Conn) error {
	return func(_ context.Context, conn net.Conn) error { return opened(conn, true, then, 0) }
}

// endlessly repeats the same frames, on a new stream each time.
func endlessly(again func(f *http2.Framer, headers func(...hpack.HeaderField) []byte, stream uint32) error) func(context.Context, net.Conn) error {
	return framed(func(f *http2.Framer, headers func(...hpack.HeaderField) []byte) error {
		for stream := uint32(3); ; stream += 2 {
			if err := again(f, headers, stream); err != nil {
				return err
			}
		}
	})
}

// begun begins the headers of a call, and repeats the same frame endlessly.
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

// onOneStream begins a call, and sends pieces of a message that does not end. It obeys flow control.
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
