package connlimit

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestConnectionWithACallInFlightStaysAuthenticated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTestListener(t)
		caller := unverified()
		near, far := l.connect()
		begin(near, caller) // a long call
		begin(near, caller)
		end(near, caller, false)
		<-time.After(2 * authenticationTime)
		if !isOpen(far) {
			t.Fatal("a call in flight is cut off because another call failed")
		}
		end(near, caller, false)
		<-time.After(authenticationTime - time.Second)
		if !isOpen(far) {
			t.Error("it is closed at once")
		}
		<-time.After(2 * time.Second)
		if isOpen(far) {
			t.Error("it stays, although the store has verified nothing")
		}
	})
}

func TestConnectionWithAConfirmedCallStaysAuthenticated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTestListener(t)
		caller := unverified()
		near, far := l.connect()
		for _, confirmed := range []bool{true, false} {
			begin(near, caller)
			end(near, caller, confirmed)
		}
		<-time.After(2 * authenticationTime)
		if !isOpen(far) {
			t.Error("it is closed because of a failure")
		}
	})
}

// No call is admitted on a connection that is being closed, and no connection with an admitted call is closed.
func TestConnectionIsEitherAuthenticatedOrClosed(t *testing.T) {
	l := newTestListener(t)
	for range 20_000 {
		far, accepted := net.Pipe()
		ended := &closeCounter{Conn: accepted}
		l.coming <- ended
		near, err := l.bounded.Accept()
		if err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		var open atomic.Int32
		together := func() {
			for open.Add(1); open.Load() < 2; {
			}
		}
		both.Go(func() {
			together()
			near.(*Conn).expire()
		})
		together()
		in := authenticate(near)
		both.Wait()
		if closed := ended.times.Load() > 0; in == closed {
			t.Fatalf("the call is admitted: %v, its connection is closed: %v", in, closed)
		}
		_, _ = near.Close(), far.Close()
	}
}

type closeCounter struct {
	net.Conn

	times atomic.Int32
}

func (c *closeCounter) Close() error {
	c.times.Add(1)
	return c.Conn.Close()
}

// One caller cannot take all connections, whether it is identified by its name or by its host.
func TestCallerHasAShareOfTheConnections(t *testing.T) {
	for _, row := range []struct {
		name         string
		greedy, next Caller
		nextFrom     string
		most         int
	}{
		{"a caller with a name, beside another name", named("orders"), named("crm"), "192.0.2.1", maxShare},
		{"a caller with a name, beside unverified accounts", named("shop"), unverified(), "192.0.2.1", maxShare},
		{"a host with unverified accounts, beside a name", unverified(), named("shop"), "192.0.2.1", maxShare},
		{"a host with unverified accounts, beside another host", unverified(), unverified(), "192.0.2.2", maxShare},
		{"a host without a limit, where everybody may call", anonymous(), nil, "", maxAuthenticated},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newTestListener(t)
				var first net.Conn
				for i := range row.most {
					near, _ := l.connect()
					if !begin(near, row.greedy) {
						t.Fatalf("there is no capacity for connection %d", i)
					}
					if i == 0 {
						first = near
					}
				}
				late, _ := l.connect()
				if begin(late, row.greedy) {
					t.Error("one more is admitted")
				}
				if !begin(first, row.greedy) {
					t.Error("an authenticated connection is rejected")
				}
				if row.next != nil {
					if other, _ := l.connectFrom(row.nextFrom); !begin(other, row.next) {
						t.Error("another caller is rejected")
					}
				}
				_ = first.Close()
				if !begin(late, row.greedy) {
					t.Error("the place of a closed connection is not free")
				}
			})
		})
	}
}

// Once the store has verified an account, its connection does not count towards the share of its host any more.
func TestConnectionMovesToTheShareOfItsVerifiedCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTestListener(t)
		for i := range 2 * maxShare {
			caller := unverified()
			near, _ := l.connect()
			if !begin(near, caller) {
				t.Fatalf("there is no capacity for connection %d", i)
			}
			caller.name = []string{"shop", "crm"}[i%2] // the store has verified the account
			end(near, caller, true)
		}
	})
}
