package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// asFlood makes the test binary a flood in a process of its own; its value is a flood as JSON.
const asFlood = "E2E_FLOOD"

// flood is the traffic of a hostile caller on many connections at once. It is bounded in time, and goes to loopback only.
type flood struct {
	Kind        string
	Address     string
	Connections int           // at a time
	Again       time.Duration // for how long it opens a new connection after one has ended
	Lasting     time.Duration // after which it ends by itself
}

// floodReport is the outcome of a flood.
type floodReport struct {
	Opened, Ended int           // connections; ended are those that the gateway has closed, or has rejected all calls of
	Longest       time.Duration // lifetime of a connection
	Sent          int64         // bytes on the connection that sent the most
}

// send runs a flood to its end. Its process has a low priority: the test measures what a flood costs the gateway, not what
// producing it costs the machine.
func (f flood) send(ctx context.Context) (report floodReport, err error) {
	described, err := json.Marshal(f)
	if err != nil {
		return report, err
	}
	process := lowPriority(ctx)
	process.Env = append(os.Environ(), asFlood+"="+string(described))
	process.Stderr = os.Stderr
	output, err := process.Output()
	if err != nil {
		return report, err
	}
	return report, json.Unmarshal(output, &report)
}

// runFlood is the child process.
func runFlood(described string, stdout io.Writer) int {
	var f flood
	if err := json.Unmarshal([]byte(described), &f); err != nil || floods[f.Kind] == nil {
		return 2
	}
	ctx, cancel := context.WithTimeout(context.Background(), f.Lasting)
	defer cancel()
	var report floodReport
	var mu sync.Mutex
	var all sync.WaitGroup
	start := time.Now()
	for range f.Connections {
		all.Go(func() {
			for first := true; first || time.Since(start) < f.Again; first = false {
				begin := time.Now()
				sent, err := f.on(ctx)
				mu.Lock()
				report.Opened++
				report.Sent = max(report.Sent, sent)
				report.Longest = max(report.Longest, time.Since(begin))
				if err != nil && ctx.Err() == nil {
					report.Ended++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	_ = json.NewEncoder(stdout).Encode(report)
	return 0
}

// on floods one connection until it is closed or the time is over. It returns the bytes sent, and why the connection ended.
func (f flood) on(ctx context.Context) (int64, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", f.Address)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	counted := &countedConn{Conn: conn}
	err = floods[f.Kind](ctx, counted)
	if err == nil { // everything is sent; the gateway has to close the connection
		_, err = io.Copy(io.Discard, conn)
		if err == nil {
			err = io.EOF
		}
	}
	return counted.sent, err
}

type countedConn struct {
	net.Conn

	sent int64
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent += int64(n)
	return n, err
}
