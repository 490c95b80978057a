package connlimit

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"golang.org/x/net/http2"
)

// sender is a gRPC connection of a caller, which the gateway reads only while there is capacity.
type sender struct {
	near, far net.Conn
	metered   net.Conn
	read      atomic.Int64
}

func (l *testListener) sender(caller Caller) *sender {
	near, far := l.connect()
	begin(near, caller)
	s := &sender{near: near, far: far, metered: meteredOn(near)}
	go func() { _, _ = io.WriteString(far, http2.ClientPreface) }()
	_, _ = io.CopyN(io.Discard, s.metered, int64(len(http2.ClientPreface)))
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := s.metered.Read(buffer)
			if s.read.Add(int64(n)); err != nil {
				return
			}
		}
	}()
	return s
}

// sends reports whether the gateway reads all of some frames.
func (s *sender) sends(write func(*http2.Framer)) bool {
	var frames bytes.Buffer
	write(http2.NewFramer(&frames, nil))
	want := s.read.Load() + int64(frames.Len())
	go func() { _, _ = s.far.Write(frames.Bytes()) }()
	synctest.Wait()
	return s.read.Load() == want
}

func beginning(stream uint32) func(*http2.Framer) {
	return func(f *http2.Framer) {
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, EndHeaders: true})
	}
}

func parts(stream uint32, size int) func(*http2.Framer) {
	return func(f *http2.Framer) {
		for range size >> 14 {
			_ = f.WriteData(stream, false, make([]byte, 1<<14))
		}
	}
}

// The partially received requests of one caller take bounded memory, on any number of connections. That caller waits, and
// others do not.
func TestPartiallyReceivedRequestsOfACallerAreBounded(t *testing.T) {
	for _, row := range []struct {
		name string
		ends func(*sender)
	}{
		{"until they end", func(s *sender) { s.sends(func(f *http2.Framer) { _ = f.WriteData(1, true, nil) }) }},
		{"until they are cancelled", func(s *sender) { s.sends(func(f *http2.Framer) { _ = f.WriteRSTStream(1, http2.ErrCodeCancel) }) }},
		{"until they get a response", func(s *sender) {
			go func() { _, _ = io.Copy(io.Discard, s.far) }()
			answers := http2.NewFramer(s.metered, nil)
			_ = answers.WriteSettings()
			_ = answers.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true})
		}},
		{"until they are reset", func(s *sender) {
			go func() { _, _ = io.Copy(io.Discard, s.far) }()
			_ = http2.NewFramer(s.metered, nil).WriteRSTStream(1, http2.ErrCodeCancel)
		}},
		{"until their connection ends", func(s *sender) { _ = s.near.Close() }},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newTestListener(t)
				greedy, other := named("greedy"), named("other")
				first, second := l.sender(greedy), l.sender(greedy)
				if !first.sends(beginning(1)) || !first.sends(parts(1, maxPartial)) || !first.sends(parts(1, 1<<20)) {
					t.Fatal("the first connection waits: none of its requests can be completed")
				}
				if !second.sends(beginning(1)) || !second.sends(parts(1, 16<<10)) {
					t.Fatal("a connection with a call of an ordinary size waits")
				}
				if second.sends(parts(1, 64<<10)) {
					t.Error("the second connection does not wait")
				}
				if beside := l.sender(other); !beside.sends(beginning(1)) || !beside.sends(parts(1, 1<<16)) {
					t.Fatal("another caller waits")
				}
				before := second.read.Load()
				row.ends(first)
				synctest.Wait()
				if second.read.Load() == before {
					t.Error("the second connection waits although there is capacity")
				}
			})
		})
	}
}

// A call without any data holds memory, too.
func TestCallsWithoutDataAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTestListener(t)
		greedy := named("greedy")
		started := 0
		for range 100 {
			s := l.sender(greedy)
			for stream := uint32(1); stream < 200 && s.sends(beginning(stream)); stream += 2 {
				started++
			}
		}
		if started < 1024 || started > 1024+5*100 {
			t.Errorf("%d calls have begun, want 1,024 and at most five more on each connection", started)
		}
	})
}

// Headers count by what they can take once they are decoded, also before they are complete and without a message.
func TestLongHeadersAreHeldUntilTheCallHasItsResponse(t *testing.T) {
	partial := &partialRequests{held: map[uint32]int{}}
	meter := newFrameMeter(partial)
	var sent bytes.Buffer
	sent.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&sent, nil)
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndStream: true, BlockFragment: make([]byte, usualHeader+100)})
	_ = framer.WriteContinuation(1, false, make([]byte, 1000))
	if err := meter.pass(sent.Bytes()); err != nil {
		t.Fatal(err)
	}
	if wanted := streamWeight + headerWeight*1100; meter.weight != wanted || meter.held != wanted {
		t.Errorf("weight %d, held %d, want %d", meter.weight, meter.held, wanted)
	}
	if freed := partial.responded(frame{kind: http2.FrameRSTStream, stream: 1}); freed != -meter.held {
		t.Errorf("the response frees %d bytes of %d", -freed, meter.held)
	}
}
