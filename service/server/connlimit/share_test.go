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
		d := openDoor(t)
		who := unverified()
		near, far := d.connect()
		begin(near, who) // a long one
		begin(near, who)
		end(near, who, false)
		<-time.After(2 * authenticationTime)
		if !isOpen(far) {
			t.Fatal("a call in flight is cut off because another has failed")
		}
		end(near, who, false)
		<-time.After(authenticationTime - time.Second)
		if !isOpen(far) {
			t.Error("it is closed at once")
		}
		<-time.After(2 * time.Second)
		if isOpen(far) {
			t.Error("it stays, though the store has agreed to nothing")
		}
	})
}

func TestConnectionWithAConfirmedCallStaysAuthenticated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		who := unverified()
		near, far := d.connect()
		for _, confirmed := range []bool{true, false} {
			begin(near, who)
			end(near, who, confirmed)
		}
		<-time.After(2 * authenticationTime)
		if !isOpen(far) {
			t.Error("it is closed for a failure")
		}
	})
}

// No call is let in on a connection that is being closed, and no connection is closed that a call was let in on.
func TestConnectionIsEitherAuthenticatedOrClosed(t *testing.T) {
	d := openDoor(t)
	for range 20_000 {
		far, accepted := net.Pipe()
		ended := &closeCounter{Conn: accepted}
		d.coming <- ended
		near, err := d.bounded.Accept()
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
		in := prove(near)
		both.Wait()
		if closed := ended.times.Load() > 0; in == closed {
			t.Fatalf("the call is let in: %v, its connection is closed: %v", in, closed)
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

// One caller cannot take all connections, by whatever it is known.
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
				d := openDoor(t)
				var first net.Conn
				for i := range row.most {
					near, _ := d.connect()
					if !begin(near, row.greedy) {
						t.Fatalf("connection %d has no room", i)
					}
					if i == 0 {
						first = near
					}
				}
				late, _ := d.connect()
				if begin(late, row.greedy) {
					t.Error("one more is let in")
				}
				if !begin(first, row.greedy) {
					t.Error("one that is in is told to leave")
				}
				if row.next != nil {
					if other, _ := d.connectFrom(row.nextFrom); !begin(other, row.next) {
						t.Error("another caller is kept out")
					}
				}
				_ = first.Close()
				if !begin(late, row.greedy) {
					t.Error("the room of one that has left is not given on")
				}
			})
		})
	}
}

// Once the store has taken an account, its connection makes room for others of the same host.
func TestConnectionMovesToTheShareOfItsVerifiedCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		for i := range 2 * maxShare {
			who := unverified()
			near, _ := d.connect()
			if !begin(near, who) {
				t.Fatalf("connection %d has no room", i)
			}
			who.name = []string{"shop", "crm"}[i%2] // the store has verified the account
			end(near, who, true)
		}
	})
}
