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

// Server is a redis-server that listens on a socket of its own and keeps nothing on disk unless it is told to.
type Server struct {
	// URL is the address for lease.RedisConfig.
	URL string

	socket  string
	folder  string
	process *exec.Cmd
}

// Start runs a server until the test ends. Where there is no redis-server the test is skipped, but not in CI.
func Start(t testing.TB) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("redis-server is missing")
		}
		t.Skip("redis-server is missing")
	}
	folder, err := os.MkdirTemp("", "redis") //nolint:usetesting // the path of a socket must be short, and those of t.TempDir are not
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

func (s *Server) run(t testing.TB) {
	t.Helper()
	s.process = exec.CommandContext(context.WithoutCancel(t.Context()), "redis-server", //nolint:gosec // a test's own folder
		"--port", "0", "--unixsocket", s.socket, "--save", "", "--dir", s.folder)
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

// Kill ends the server at once; what it knew is lost, unless it was saved.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill() // it may have ended by itself
	_ = s.process.Wait()         // its exit says that it was killed
	s.process = nil
}

// Restart starts a killed server again.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Kill(t)
	_ = os.Remove(s.socket)
	s.run(t)
}

// Pause stops the server without closing its connections, until Resume.
func (s *Server) Pause(t testing.TB) { s.signal(t, syscall.SIGSTOP) }

// Resume lets a paused server go on.
func (s *Server) Resume(t testing.TB) { s.signal(t, syscall.SIGCONT) }

func (s *Server) signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}
