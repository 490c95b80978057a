package connlimit

import (
	"encoding/binary"

	"golang.org/x/net/http2"
)

const frameHeader = 9 // bytes in front of each frame

// frame is the header of an HTTP/2 frame.
type frame struct {
	kind   http2.FrameType
	flags  http2.Flags
	length int
	stream uint32
}

// ends reports whether the sender closes its side of the stream with the frame.
func (f frame) ends() bool {
	return (f.kind == http2.FrameHeaders || f.kind == http2.FrameData) && f.flags.Has(http2.FlagDataEndStream) // the same bit in both
}

// frameReader finds the frame headers in one direction of a connection, however the bytes are cut. It stores nothing
// else.
type frameReader struct {
	skip   int // bytes until the next frame's header
	header [frameHeader]byte
	have   int // bytes of the header
}

// next returns the next frame whose header is complete, and the bytes behind that header.
func (r *frameReader) next(bytes []byte) (f frame, rest []byte, complete bool) {
	skipped := min(r.skip, len(bytes))
	r.skip -= skipped
	n := copy(r.header[r.have:], bytes[skipped:])
	r.have += n
	rest = bytes[skipped+n:]
	if r.have < frameHeader {
		return frame{}, rest, false
	}
	r.have = 0
	r.skip = int(r.header[0])<<16 | int(r.header[1])<<8 | int(r.header[2])
	return frame{
		kind: http2.FrameType(r.header[3]), flags: http2.Flags(r.header[4]), length: r.skip,
		stream: binary.BigEndian.Uint32(r.header[5:]) & (1<<31 - 1),
	}, rest, true
}

// betweenFrames reports whether the last frame is complete.
func (r *frameReader) betweenFrames() bool { return r.skip == 0 && r.have == 0 }
