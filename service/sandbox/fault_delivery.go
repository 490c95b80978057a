package sandbox

import (
	"bytes"
	"cmp"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
)

// bufferedResponse is a response that PHP has made and nginx has not sent yet.
type bufferedResponse struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newBufferedResponse() *bufferedResponse {
	return &bufferedResponse{header: http.Header{}, status: http.StatusOK}
}

// Header, WriteHeader and Write make a bufferedResponse an http.ResponseWriter.
func (p *bufferedResponse) Header() http.Header { return p.header }

// WriteHeader is called at most once: no handler of the store responds twice.
func (p *bufferedResponse) WriteHeader(status int) { p.status = status }

func (p *bufferedResponse) Write(b []byte) (int, error) { return p.body.Write(b) }

// deliver sends the response as the failure says. Like send it ignores write errors.
func (s *Store) deliver(w http.ResponseWriter, r *http.Request, f Failure, p *bufferedResponse) {
	switch f.Delivery {
	case Whole:
		p.send(w)
	case Truncated:
		s.sendHalf(w, p)
	case Dripping:
		s.sendPieces(w, r, f, p)
	case Reset:
		reset(w)
	case Silent:
		select {
		case <-r.Context().Done():
		case <-s.traffic.closed:
		}
		abandon(w, r)
	}
}

// send ignores write errors: a client that has left cannot be informed.
func (p *bufferedResponse) send(w http.ResponseWriter) {
	p.writeHead(w)
	_, _ = w.Write(p.body.Bytes())
}

func (p *bufferedResponse) writeHead(w http.ResponseWriter) {
	maps.Copy(w.Header(), p.header)
	w.WriteHeader(p.status)
}

// sendHalf relies on net/http, which closes the connection if less was written than announced.
func (s *Store) sendHalf(w http.ResponseWriter, p *bufferedResponse) {
	body := p.body.Bytes()
	w.Header().Set("Content-Length", strconv.Itoa(max(len(body), 1)))
	p.writeHead(w)
	_, _ = w.Write(body[:len(body)/2])
}

func (s *Store) sendPieces(w http.ResponseWriter, r *http.Request, f Failure, p *bufferedResponse) {
	p.writeHead(w)
	isFirst := true
	for piece := range slices.Chunk(p.body.Bytes(), cmp.Or(f.Piece, 16)) {
		if !isFirst && !s.traffic.pause(f.Pause, r.Context().Done()) {
			if r.Context().Err() == nil {
				reset(w) // returning would end the response as if it were complete
			}
			return
		}
		isFirst = false
		_, _ = w.Write(piece)
		_ = http.NewResponseController(w).Flush()
	}
}

// clientClosedRequest is nginx's own status for a client that left before its response. Only a log can show it.
const clientClosedRequest = 499

// abandon ends a request without a response: its client has left, or the store was closed.
func abandon(w http.ResponseWriter, r *http.Request) {
	if r.Context().Err() != nil {
		w.WriteHeader(clientClosedRequest)
		return
	}
	reset(w)
}

// reset resets the connection. An HTTP/2 stream or a recorder has no connection of its own, so reset aborts its handler by
// the panic that net/http defines for this.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	raw := conn
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok {
		raw = wrapped.NetConn() // TLS would send a close-notify alert first
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // makes Close send a RST instead of a FIN
	}
	_ = raw.Close()
}
