// Package redistest starts real Redis servers for tests, and makes them fail.
package redistest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Server is a redis-server with a Unix socket of its own. It saves nothing to disk unless a client asks it to.
type Server struct {
	// URL is the address for lease.RedisConfig.
	URL string

	socket  string
	folder  string
	process *exec.Cmd
}

// Start runs a server until the test ends. Without a redis-server in PATH the test is skipped; in CI it fails.
func Start(t testing.TB) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("redis-server is missing")
		}
		t.Skip("redis-server is missing")
	}
	folder, err := os.MkdirTemp("", "redis") //nolint:usetesting // t.TempDir returns a path that is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{folder: folder, socket: filepath.Join(folder, "s")}
	s.URL = "unix://" + s.socket
	s.run(t)
	t.Cleanup(func() {
		s.Kill(t)
		_ = os.RemoveAll(folder)
	})
	return s
}

func (s *Server) run(t testing.TB, args ...string) {
	t.Helper()
	s.process = exec.CommandContext(context.WithoutCancel(t.Context()), "redis-server", //nolint:gosec // the folder is the test's own
		append([]string{"--port", "0", "--unixsocket", s.socket, "--save", "", "--dir", s.folder}, args...)...)
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
	defer cancel()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		connection, err := (&net.Dialer{}).DialContext(ctx, "unix", s.socket)
		if err == nil {
			_ = connection.Close()
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("redis-server does not listen: %v", err)
		}
	}
}

// Kill ends the server at once. Its data is lost, unless a client has saved it.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill() // fails if the server has ended already
	_ = s.process.Wait()         // reports that the server was killed
	s.process = nil
}

// Restart kills the server and starts it again, with the data that was saved.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Kill(t)
	_ = os.Remove(s.socket)
	s.run(t)
}

// RestartWithPassword restarts the server as one that wants a password.
func (s *Server) RestartWithPassword(t testing.TB, password string) {
	t.Helper()
	s.Kill(t)
	_ = os.Remove(s.socket)
	s.run(t, "--requirepass", password)
}

// Pause stops the server until Resume. Its connections stay open.
func (s *Server) Pause(t testing.TB) { s.signal(t, syscall.SIGSTOP) }

// Resume continues a paused server.
func (s *Server) Resume(t testing.TB) { s.signal(t, syscall.SIGCONT) }

func (s *Server) signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}
