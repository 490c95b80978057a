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
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// memoryListener is a listener in process, for tests with synctest: sockets do not know its time.
type memoryListener struct {
	coming chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newMemoryListener() *memoryListener {
	return &memoryListener{coming: make(chan net.Conn), closed: make(chan struct{})}
}

func (p *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-p.coming:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *memoryListener) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (*memoryListener) Addr() net.Addr { return &net.TCPAddr{} }

func (p *memoryListener) dial(ctx context.Context) (net.Conn, error) {
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

// memoryGateway is both transports on listeners in memory.
type memoryGateway struct {
	grpc, json *memoryListener
	conn       *grpc.ClientConn
	stop       func() // and wait
}

// serveInMemory runs both transports. They must be stopped before the synctest bubble ends.
func serveInMemory(t testing.TB, config server.Config) *memoryGateway {
	t.Helper()
	config.Logger = slog.New(interceptor.LogHandler(slog.DiscardHandler))
	servers, err := server.New(config)
	if err != nil {
		t.Fatal(err)
	}
	b := &memoryGateway{grpc: newMemoryListener(), json: newMemoryListener()}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- servers.Run(ctx, b.grpc, b.json) }()
	b.conn, err = grpc.NewClient("passthrough:///memoryGateway", grpc.WithTransportCredentials(insecure.NewCredentials()),
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
