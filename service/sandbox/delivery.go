package sandbox

import (
	"bytes"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
)

// response is an answer that PHP gave and nginx has not sent yet.
type response struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newResponse() *response {
	return &response{header: http.Header{}, status: http.StatusOK}
}

// Header makes a response an http.ResponseWriter.
func (p *response) Header() http.Header { return p.header }

// WriteHeader is called once at most: nothing in the store answers twice.
func (p *response) WriteHeader(status int) { p.status = status }

func (p *response) Write(b []byte) (int, error) { return p.body.Write(b) }

// deliver sends the response as the failure says. A client that is gone cannot be told so: errors are of no use.
func (s *Store) deliver(w http.ResponseWriter, r *http.Request, f Failure, p *response) {
	switch f.Delivery {
	case Whole:
		p.writeHead(w)
		_, _ = w.Write(p.body.Bytes())
	case Truncated:
		s.truncate(w, p)
	case Dripping:
		s.drip(w, r, f, p)
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

func (p *response) writeHead(w http.ResponseWriter) {
	maps.Copy(w.Header(), p.header)
	w.WriteHeader(p.status)
}

// truncate leaves it to net/http to end the connection: it does so where less was written than was announced.
func (s *Store) truncate(w http.ResponseWriter, p *response) {
	body := p.body.Bytes()
	w.Header().Set("Content-Length", strconv.Itoa(max(len(body), 1)))
	p.writeHead(w)
	_, _ = w.Write(body[:len(body)/2])
}

func (s *Store) drip(w http.ResponseWriter, r *http.Request, f Failure, p *response) {
	p.writeHead(w)
	isFirst := true
	for piece := range slices.Chunk(p.body.Bytes(), f.piece()) {
		if !isFirst && !s.traffic.pause(f.Pause, r.Context().Done()) {
			if r.Context().Err() == nil {
				reset(w) // to return would end the answer as if it were whole
			}
			return
		}
		isFirst = false
		_, _ = w.Write(piece)
		_ = http.NewResponseController(w).Flush()
	}
}

// clientClosedRequest is nginx's own status for a client that went before its answer; it is seen in a log at most.
const clientClosedRequest = 499

// abandon ends a request without an answer: its client has gone, or the store was closed.
func abandon(w http.ResponseWriter, r *http.Request) {
	if r.Context().Err() != nil {
		w.WriteHeader(clientClosedRequest)
		return
	}
	reset(w)
}

// reset breaks the connection. What has none of its own, a stream of HTTP/2 or a recorder, is aborted by a panic that
// net/http knows.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	raw := conn
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok {
		raw = wrapped.NetConn() // TLS would say goodbye first
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // with nothing left to send, closing is a RST and no FIN
	}
	_ = raw.Close()
}
