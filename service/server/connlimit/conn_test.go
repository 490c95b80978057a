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

// 250 connections that are each lighter than an ordinary first call do not cause the eviction of that call.
func TestManyLightConnectionsDoNotBlockANewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTestListener(t)
		_, silent := l.connect()
		var light []net.Conn
		for range 250 {
			near, far := l.connect()
			send(near, far, maxUnauthenticatedWeight/250)
			light = append(light, far)
		}
		near, late := l.connect()
		send(near, late, 140<<10)
		if !isOpen(late) || !authenticate(near) {
			t.Error("the new connection is closed or rejected")
		}
		if isOpen(light[0]) || !isOpen(light[249]) {
			t.Errorf("open are the oldest: %v, the youngest: %v", isOpen(light[0]), isOpen(light[249]))
		}
		if !isOpen(silent) {
			t.Error("a connection that sent nothing is closed, which frees no memory")
		}
	})
}

// The same holds for light connections from as many hosts: the weight of a host counts only beyond a first call.
func TestManyLightHostsDoNotBlockANewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTestListener(t)
		var light []net.Conn
		for i := range 250 {
			near, far := l.connectFrom(fmt.Sprintf("192.0.2.%d", i))
			send(near, far, maxUnauthenticatedWeight/250)
			light = append(light, far)
		}
		near, late := l.connectFrom("198.51.100.1")
		send(near, late, 140<<10)
		if !isOpen(late) || !isOpen(light[249]) {
			t.Error("the new connection is closed, or the youngest of the others is")
		}
		if isOpen(light[0]) {
			t.Error("the oldest is open")
		}
	})
}

func TestHostThatSendsTheMostIsEvictedFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTestListener(t)
		near, early := l.connectFrom("192.0.2.2")
		send(near, early, 100<<10)
		var flood []net.Conn
		for range 100 {
			near, far := l.connectFrom("192.0.2.1")
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
		l := newTestListener(t)
		near, far := l.connect()
		send(near, far, maxFirstCalls)
		if !isOpen(far) {
			t.Error("it is closed although it has sent no more than allowed")
		}
		send(near, far, 1)
		if isOpen(far) {
			t.Error("it is open although it has sent too much")
		}
		authenticated, authenticatedFar := l.connect()
		authenticate(authenticated)
		send(authenticated, authenticatedFar, 2*maxUnauthenticatedWeight)
		if !isOpen(authenticatedFar) {
			t.Error("an authenticated connection is closed")
		}
	})
}

func TestStalledWriteFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTestListener(t)
		near, _ := l.connect()
		authenticate(near)
		begin := time.Now()
		_, err := near.Write([]byte("a response"))
		if took := time.Since(begin); !errors.Is(err, os.ErrDeadlineExceeded) || took != stallTime {
			t.Errorf("%v after %s", err, took)
		}
	})
}

// A slow client that keeps reading is not cut off.
func TestSlowWriteContinues(t *testing.T) {
	for _, row := range []struct {
		name   string
		every  time.Duration // it reads 1 KiB
		intact bool
	}{
		{"2 KiB a second", 500 * time.Millisecond, true},
		{"1 KiB in 9 s", 9 * time.Second, true},
		{"1 KiB in 21 s", 21 * time.Second, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newTestListener(t)
				near, far := l.connect()
				authenticate(near)
				var reading sync.WaitGroup
				reading.Go(func() {
					for err := error(nil); err == nil; _, err = io.CopyN(io.Discard, far, 1<<10) {
						<-time.After(row.every)
					}
				})
				n, err := near.Write(make([]byte, 64<<10))
				if intact := n == 64<<10 && err == nil; intact != row.intact {
					t.Errorf("%d bytes are written, and %v", n, err)
				}
				_ = near.Close()
				reading.Wait()
			})
		})
	}
}

// A connection whose calls are rejected leaves the gateway time for other work. Other connections are read at once.
func TestConnectionIsReadAfterAPauseOnceACallWasRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTestListener(t)
		near, far := l.connect()
		other, farOther := l.connect()
		authenticate(near)
		authenticate(other)
		near.(*Conn).Rejected()
		for _, row := range []struct {
			near, far net.Conn
			pause     time.Duration
		}{
			{near, far, rejectionPause},
			{near, far, 0}, // one pause for one rejection
			{other, farOther, 0},
		} {
			start := time.Now()
			send(row.near, row.far, 10)
			if took := time.Since(start); took != row.pause {
				t.Errorf("read after %s, want %s", took, row.pause)
			}
		}
	})
}
