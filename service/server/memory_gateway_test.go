package server_test

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

// pipes is a listener in process, for tests in a bubble, whose time no socket knows.
type pipes struct {
	coming chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{coming: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.coming:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.coming <- far:
		return near, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// bubble is both doors in a bubble.
type bubble struct {
	grpc, json *pipes
	conn       *grpc.ClientConn
	stop       func() // and wait
}

// serveInBubble opens both doors. They are to be stopped before the bubble ends.
func serveInBubble(t testing.TB, config server.Config) *bubble {
	t.Helper()
	config.Logger = slog.New(server.LogHandler(slog.DiscardHandler))
	doors, err := server.New(config)
	if err != nil {
		t.Fatal(err)
	}
	b := &bubble{grpc: newPipes(), json: newPipes()}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- doors.Run(ctx, b.grpc, b.json) }()
	b.conn, err = grpc.NewClient("passthrough:///bubble", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return b.grpc.dial(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		_ = b.conn.Close()
	})
	return b
}
