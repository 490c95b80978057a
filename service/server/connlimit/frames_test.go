package connlimit

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
)

// script is the input of a client, in pieces of a given size.
type script struct {
	net.Conn

	frames *bytes.Buffer
	piece  int
}

func (s *script) Read(p []byte) (int, error) { return s.frames.Read(p[:min(len(p), s.piece)]) }
func (s *script) Close() error               { return nil }
func (s *script) RemoteAddr() net.Addr       { return &net.TCPAddr{} }

// passes reports whether frames pass a meter, however they are cut.
func passes(t *testing.T, write func(*http2.Framer)) bool {
	t.Helper()
	var sent bytes.Buffer
	sent.WriteString(http2.ClientPreface)
	write(http2.NewFramer(&sent, nil))
	var verdicts []bool
	for _, piece := range []int{7, 4096} {
		got, err := io.ReadAll(metered(&script{frames: bytes.NewBuffer(bytes.Clone(sent.Bytes())), piece: piece}))
		if err == nil && !bytes.Equal(got, sent.Bytes()) {
			t.Errorf("in pieces of %d the bytes change", piece)
		}
		verdicts = append(verdicts, err == nil)
	}
	for _, verdict := range verdicts {
		if verdict != verdicts[0] {
			t.Errorf("the result depends on the pieces: %v", verdicts)
		}
	}
	return verdicts[0]
}

func TestControlFramesAreBounded(t *testing.T) {
	for _, row := range []struct {
		name  string
		most  int
		write func(f *http2.Framer, i int)
	}{
		{"PING", maxControlFrames, func(f *http2.Framer, _ int) { _ = f.WritePing(false, [8]byte{}) }},
		{"acknowledged PINGs", maxControlFrames, func(f *http2.Framer, _ int) { _ = f.WritePing(true, [8]byte{}) }},
		{"SETTINGS", maxControlFrames, func(f *http2.Framer, _ int) { _ = f.WriteSettings(http2.Setting{ID: 1, Val: 1}) }},
		{"CONTINUATION", maxControlFrames, func(f *http2.Framer, _ int) { _ = f.WriteContinuation(1, false, nil) }},
		{"PRIORITY", maxControlFrames, func(f *http2.Framer, _ int) { _ = f.WritePriority(1, http2.PriorityParam{}) }},
		{"WINDOW_UPDATE", maxControlFrames, func(f *http2.Framer, _ int) { _ = f.WriteWindowUpdate(0, 1) }},
		{"unknown frames", maxControlFrames, func(f *http2.Framer, _ int) { _ = f.WriteRawFrame(0x77, 0, 0, []byte("abc")) }},
		{"empty DATA", maxControlFrames, func(f *http2.Framer, _ int) { _ = f.WriteData(1, false, nil) }},
		{"tiny DATA", maxControlFrames, func(f *http2.Framer, _ int) { _ = f.WriteData(1, false, []byte{1}) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				times := func(n int) func(*http2.Framer) {
					return func(f *http2.Framer) {
						for i := range n {
							row.write(f, i)
						}
					}
				}
				if !passes(t, times(row.most)) {
					t.Error("the allowed number does not pass")
				}
				if passes(t, times(row.most+1)) {
					t.Error("one more passes")
				}
			})
		})
	}
}

// Busy clients that do nothing wrong stay within the bounds.
func TestBusyClientsStayWithinTheFrameBounds(t *testing.T) {
	message := make([]byte, 200)
	for _, row := range []struct {
		name  string
		write func(*http2.Framer)
	}{
		{"2,048 calls that are cancelled together", func(f *http2.Framer) {
			for stream := uint32(1); stream < 2*2048; stream += 2 {
				_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, EndHeaders: true})
				_ = f.WriteData(stream, true, message)
				_ = f.WriteRSTStream(stream, http2.ErrCodeCancel)
			}
		}},
		{"1,000 calls whose responses are acknowledged piece by piece, and each with a PING", func(f *http2.Framer) {
			for stream := uint32(1); stream < 2*1_000; stream += 2 {
				_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, EndHeaders: true})
				_ = f.WriteData(stream, true, message)
				for range 5 {
					_ = f.WriteWindowUpdate(0, 16384)
					_ = f.WriteWindowUpdate(stream, 16384)
				}
				_ = f.WritePing(true, [8]byte{})
				_ = f.WritePing(false, [8]byte{})
			}
		}},
		{"messages in 6,000 pieces", func(f *http2.Framer) {
			for stream := uint32(1); stream < 2*100; stream += 2 {
				_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, EndHeaders: true})
				for range 60 {
					_ = f.WriteData(stream, false, make([]byte, 1000))
				}
				_ = f.WriteData(stream, true, nil)
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if !passes(t, row.write) {
					t.Error("the frames do not pass")
				}
			})
		})
	}
}

// Resets are slowed down at first, and a connection that continues with them is closed within seconds.
func TestResetsAreSlowedDownAndThenEnded(t *testing.T) {
	for _, row := range []struct {
		name   string
		resets int
		ends   bool
	}{
		{"calls in flight are cancelled at once", 200, false},
		{"2,048 calls are cancelled, twice", 4096, false},
		{"a flood", 1_000_000, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				frames := bytes.NewBufferString(http2.ClientPreface)
				framer := http2.NewFramer(frames, nil)
				for range row.resets {
					_ = framer.WriteRSTStream(1, http2.ErrCodeCancel)
				}
				begin := time.Now()
				_, err := io.Copy(io.Discard, metered(&script{frames: frames, piece: 4096}))
				took := time.Since(begin)
				t.Logf("%v after %s", err, took)
				if (err != nil) != row.ends {
					t.Errorf("it ends with %v", err)
				}
				if row.resets == 200 && took > 0 || took > 5*time.Second {
					t.Errorf("it takes %s", took)
				}
			})
		})
	}
}

// A proxy whose callers time out, 400 of them each second, keeps its connection.
func TestBudgetIsRefilledWithTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		frames := &bytes.Buffer{}
		conn := metered(&script{frames: frames, piece: 4096})
		frames.WriteString(http2.ClientPreface)
		framer := http2.NewFramer(frames, nil)
		for tenth := range 600 {
			for range 40 {
				_ = framer.WriteRSTStream(1, http2.ErrCodeCancel)
			}
			if _, err := io.ReadAll(conn); err != nil {
				t.Fatalf("after %d tenths of a second: %v", tenth, err)
			}
			<-time.After(time.Second / 10)
		}
	})
}

// BenchmarkMeter measures the cost of metering a byte, and not that of reading one from loopback.
func BenchmarkMeter(b *testing.B) {
	var sent bytes.Buffer
	framer := http2.NewFramer(&sent, nil)
	for stream := uint32(1); stream < 200; stream += 2 { // a hundred calls
		_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, EndHeaders: true, BlockFragment: make([]byte, 60)})
		_ = framer.WriteData(stream, true, make([]byte, 200))
		_ = framer.WriteWindowUpdate(0, 300)
	}
	inner := &repeating{content: sent.Bytes()}
	conn := metered(inner)
	inner.preface = []byte(http2.ClientPreface)
	buffer := make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		for read := 0; read < sent.Len(); {
			n, err := conn.Read(buffer)
			if err != nil {
				b.Fatal(err)
			}
			read += n
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/call")
}

// repeating sends the same bytes for ever.
type repeating struct {
	net.Conn

	preface, content []byte
	at               int
}

func (a *repeating) RemoteAddr() net.Addr { return &net.TCPAddr{} }

func (a *repeating) Read(p []byte) (int, error) {
	if len(a.preface) > 0 {
		n := copy(p, a.preface)
		a.preface = a.preface[n:]
		return n, nil
	}
	n := copy(p, a.content[a.at:])
	a.at = (a.at + n) % len(a.content)
	return n, nil
}
