package server_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

// callers is a listener whose connections are made in process.
type callers struct {
	net.Listener

	coming chan net.Conn
}

func (c callers) Accept() (net.Conn, error) { return <-c.coming, nil }

// door accepts connections as a door does.
type door struct {
	t       testing.TB
	coming  chan net.Conn
	bounded net.Listener
}

func openDoor(t testing.TB) *door {
	coming := make(chan net.Conn, 1)
	return &door{t, coming, server.Bounded(callers{coming: coming})}
}

// connect returns both ends of a new connection.
func (d *door) connect() (near, far net.Conn) {
	d.t.Helper()
	far, server := net.Pipe()
	d.coming <- server
	near, err := d.bounded.Accept()
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}

// isOpen reports whether the far end of a connection can still be read.
func isOpen(far net.Conn) bool {
	_ = far.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := far.Read(make([]byte, 1))
	return errors.Is(err, os.ErrDeadlineExceeded)
}

func TestUnprovenConnectionIsClosedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		_, unproven := d.connect()
		near, proven := d.connect()
		<-time.After(server.ProvingTime - time.Second)
		if !isOpen(unproven) {
			t.Error("it is closed too early")
		}
		if !server.Prove(near) {
			t.Error("it cannot be proven")
		}
		<-time.After(2 * time.Second)
		if isOpen(unproven) {
			t.Error("an unproven connection is open for ever")
		}
		if !isOpen(proven) {
			t.Error("a proven connection is closed")
		}
	})
}

func TestNewcomerCrowdsOutTheOldestUnprovenConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		near, proven := d.connect()
		server.Prove(near)
		var far []net.Conn
		for range server.MaxUnproven + 2 {
			_, f := d.connect()
			far = append(far, f)
		}
		for i, conn := range append(far, proven) {
			if want := i >= 2; isOpen(conn) != want {
				t.Errorf("connection %d of %d is open: %v, want %v", i, len(far), !want, want)
			}
		}
	})
}

func TestClosedConnectionMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		_, first := d.connect()
		for range 3 * server.MaxUnproven {
			near, _ := d.connect()
			_ = near.Close()
			_ = near.Close() // a second time takes nobody else's room
		}
		if !isOpen(first) {
			t.Error("the first is crowded out by those that have left")
		}
	})
}

func TestProvenConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		first, _ := d.connect()
		server.Prove(first)
		for range server.MaxProven - 1 {
			near, _ := d.connect()
			if !server.Prove(near) {
				t.Fatal("there is room, and none is given")
			}
		}
		late, _ := d.connect()
		if server.Prove(late) {
			t.Error("one more is let in")
		}
		if !server.Prove(first) {
			t.Error("one that is in is told to leave")
		}
		_ = first.Close()
		if !server.Prove(late) {
			t.Error("the room of one that has left is not given on")
		}
	})
}

// Whoever sends the most before a call is let in is the one to go.
func TestHeaviestUnprovenConnectionMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		send := func(near, far net.Conn, bytes int) {
			go func() { _, _ = far.Write(make([]byte, bytes)) }()
			_, _ = io.CopyN(io.Discard, near, int64(bytes))
		}
		light, lightFar := d.connect()
		heavy, heavyFar := d.connect()
		proven, provenFar := d.connect()
		server.Prove(proven)
		send(proven, provenFar, 2*server.MaxUnprovenWeight)
		send(heavy, heavyFar, server.MaxUnprovenWeight-1000)
		if !isOpen(heavyFar) {
			t.Error("it is closed before there is too much")
		}
		send(light, lightFar, 2000)
		if isOpen(heavyFar) || !isOpen(lightFar) || !isOpen(provenFar) {
			t.Errorf("open are the heavy one: %v, the light one: %v, the proven one: %v", isOpen(heavyFar), isOpen(lightFar), isOpen(provenFar))
		}
	})
}

func TestWriteThatNobodyTakesFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		near, _ := d.connect()
		server.Prove(near)
		begin := time.Now()
		_, err := near.Write([]byte("an answer"))
		if took := time.Since(begin); !errors.Is(err, os.ErrDeadlineExceeded) || took != server.TakingTime {
			t.Errorf("%v after %s", err, took)
		}
	})
}
