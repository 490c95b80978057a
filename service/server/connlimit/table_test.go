package connlimit

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
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
	return &door{t, coming, NewListener(callers{coming: coming})}
}

// connect returns both ends of a new connection.
func (d *door) connect() (near, far net.Conn) { return d.connectFrom("192.0.2.1") }

func (d *door) connectFrom(ip string) (near, far net.Conn) {
	d.t.Helper()
	far, accepted := net.Pipe()
	d.coming <- distant{accepted, &net.TCPAddr{IP: net.ParseIP(ip), Port: 49152}}
	near, err := d.bounded.Accept()
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}

// distant is a connection from an address.
type distant struct {
	net.Conn

	from net.Addr
}

func (d distant) RemoteAddr() net.Addr { return d.from }

// send makes the near end of a connection read that many bytes.
func send(near, far net.Conn, bytes int) {
	go func() { _, _ = far.Write(make([]byte, bytes)) }()
	_, _ = io.CopyN(io.Discard, near, int64(bytes))
}

// isOpen reports whether the far end of a connection can still be read.
func isOpen(far net.Conn) bool {
	_ = far.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := far.Read(make([]byte, 1))
	return errors.Is(err, os.ErrDeadlineExceeded)
}

func TestUnauthenticatedConnectionExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		_, unauthenticated := d.connect()
		near, authenticated := d.connect()
		<-time.After(authenticationTime - time.Second)
		if !isOpen(unauthenticated) {
			t.Error("it is closed too early")
		}
		if !prove(near) {
			t.Error("it cannot be authenticated")
		}
		<-time.After(2 * time.Second)
		if isOpen(unauthenticated) {
			t.Error("an unauthenticated connection is open for ever")
		}
		if !isOpen(authenticated) {
			t.Error("a authenticated connection is closed")
		}
	})
}

func TestNewConnectionEvictsTheOldestUnauthenticatedOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		near, authenticated := d.connect()
		prove(near)
		var far []net.Conn
		for range MaxUnauthenticated + 2 {
			_, f := d.connect()
			far = append(far, f)
		}
		for i, conn := range append(far, authenticated) {
			if want := i >= 2; isOpen(conn) != want {
				t.Errorf("connection %d of %d is open: %v, want %v", i, len(far), !want, want)
			}
		}
	})
}

func TestClosedConnectionFreesItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		_, first := d.connect()
		for range 3 * MaxUnauthenticated {
			near, _ := d.connect()
			_ = near.Close()
			_ = near.Close() // a second time takes nobody else's room
		}
		if !isOpen(first) {
			t.Error("the first is crowded out by those that have left")
		}
	})
}

func TestAuthenticatedConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		first, _ := d.connect()
		prove(first)
		for range maxAuthenticated - 1 {
			near, _ := d.connect()
			if !prove(near) {
				t.Fatal("there is room, and none is given")
			}
		}
		late, _ := d.connect()
		if prove(late) {
			t.Error("one more is let in")
		}
		if !prove(first) {
			t.Error("one that is in is told to leave")
		}
		_ = first.Close()
		if !prove(late) {
			t.Error("the room of one that has left is not given on")
		}
	})
}

// A flood of connections from one host touches nobody of another, however late they come.
func TestFloodOfConnectionsEvictsOnlyItsOwnHost(t *testing.T) {
	for _, row := range []struct{ name, flooding, other string }{
		{"IPv4", "192.0.2.1", "192.0.2.2"},
		{"IPv6", "2001:db8:0:1::1", "2001:db8:0:2::1"},
		{"IPv4 in IPv6", "::ffff:192.0.2.1", "192.0.2.2"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := openDoor(t)
				_, before := d.connectFrom(row.other)
				var flood []net.Conn
				for range MaxUnauthenticated {
					_, far := d.connectFrom(row.flooding)
					flood = append(flood, far)
				}
				_, after := d.connectFrom(row.other)
				for range 2 * MaxUnauthenticated {
					d.connectFrom(row.flooding)
				}
				if !isOpen(before) || !isOpen(after) {
					t.Errorf("open are the one from before: %v, the one from after: %v", isOpen(before), isOpen(after))
				}
				if isOpen(flood[0]) {
					t.Error("the flood's oldest is open")
				}
			})
		})
	}
}

func TestAddressesOfOneNetworkAreOneHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		_, other := d.connectFrom("2001:db8:0:2::1")
		for i := range 2 * MaxUnauthenticated {
			d.connectFrom(fmt.Sprintf("2001:db8:0:1::%x", i+1))
		}
		if !isOpen(other) {
			t.Error("it is crowded out by many addresses of one network")
		}
	})
}

// 250 connections that are each lighter than an honest first call do not make that the one to go.
func TestManyLightConnectionsDoNotBlockANewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		_, silent := d.connect()
		var light []net.Conn
		for range 250 {
			near, far := d.connect()
			send(near, far, maxUnauthenticatedWeight/250)
			light = append(light, far)
		}
		near, newcomer := d.connect()
		send(near, newcomer, 140<<10)
		if !isOpen(newcomer) || !prove(near) {
			t.Error("the newcomer is kept out")
		}
		if isOpen(light[0]) || !isOpen(light[249]) {
			t.Errorf("open are the oldest: %v, the youngest: %v", isOpen(light[0]), isOpen(light[249]))
		}
		if !isOpen(silent) {
			t.Error("one that sent nothing is closed: that makes no room")
		}
	})
}

// Nor do light connections from as many hosts: no more is held against a newcomer than a first call.
func TestManyLightHostsDoNotBlockANewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		var light []net.Conn
		for i := range 250 {
			near, far := d.connectFrom(fmt.Sprintf("192.0.2.%d", i))
			send(near, far, maxUnauthenticatedWeight/250)
			light = append(light, far)
		}
		near, newcomer := d.connectFrom("198.51.100.1")
		send(near, newcomer, 140<<10)
		if !isOpen(newcomer) || !isOpen(light[249]) {
			t.Error("the newcomer is kept out, or the youngest of the others is closed")
		}
		if isOpen(light[0]) {
			t.Error("the oldest is open")
		}
	})
}

func TestHostThatSendsTheMostIsEvictedFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		near, early := d.connectFrom("192.0.2.2")
		send(near, early, 100<<10)
		var flood []net.Conn
		for range 100 {
			near, far := d.connectFrom("192.0.2.1")
			send(near, far, 100<<10)
			flood = append(flood, far)
		}
		if !isOpen(early) {
			t.Error("the early one of another host is closed")
		}
		if isOpen(flood[0]) || !isOpen(flood[99]) {
			t.Errorf("open are the flood's oldest: %v, its youngest: %v", isOpen(flood[0]), isOpen(flood[99]))
		}
	})
}

func TestConnectionThatSendsTooMuchBeforeItsFirstCallIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		near, far := d.connect()
		send(near, far, maxFirstCalls)
		if !isOpen(far) {
			t.Error("it is closed before that is too much")
		}
		send(near, far, 1)
		if isOpen(far) {
			t.Error("it is open")
		}
		authenticated, provenFar := d.connect()
		prove(authenticated)
		send(authenticated, provenFar, 2*maxUnauthenticatedWeight)
		if !isOpen(provenFar) {
			t.Error("a authenticated one is closed")
		}
	})
}

func TestStalledWriteFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		near, _ := d.connect()
		prove(near)
		begin := time.Now()
		_, err := near.Write([]byte("an answer"))
		if took := time.Since(begin); !errors.Is(err, os.ErrDeadlineExceeded) || took != stallTime {
			t.Errorf("%v after %s", err, took)
		}
	})
}

// A reader that is slow, and takes something all the time, is not cut off.
func TestSlowWriteContinues(t *testing.T) {
	for _, row := range []struct {
		name   string
		every  time.Duration // it takes 1 KiB
		intact bool
	}{
		{"2 KiB a second", 500 * time.Millisecond, true},
		{"1 KiB in 9 s", 9 * time.Second, true},
		{"1 KiB in 21 s", 21 * time.Second, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := openDoor(t)
				near, far := d.connect()
				prove(near)
				var reading sync.WaitGroup
				reading.Go(func() {
					for err := error(nil); err == nil; _, err = io.CopyN(io.Discard, far, 1<<10) {
						<-time.After(row.every)
					}
				})
				n, err := near.Write(make([]byte, 64<<10))
				if intact := n == 64<<10 && err == nil; intact != row.intact {
					t.Errorf("%d bytes are taken, and %v", n, err)
				}
				_ = near.Close()
				reading.Wait()
			})
		})
	}
}
