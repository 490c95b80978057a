package server_test

import (
	"encoding/base64"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

// storeUser returns a caller of whom only the store can say who it is.
func storeUser(t testing.TB, users *auth.StoreUsers, name string) *auth.Caller {
	t.Helper()
	who, err := users.Authenticate(auth.Presented{Authorization: []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(name+":secret"))}})
	if err != nil {
		t.Fatal(err)
	}
	return who
}

func TestConnectionWithACallInFlightIsNotTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		who := storeUser(t, auth.NewStoreUsers(auth.Permissions{}), "shop")
		near, far := d.connect()
		server.Enter(near, who) // a long one
		server.Enter(near, who)
		server.Leave(near, who, false)
		<-time.After(2 * server.ProvingTime)
		if !isOpen(far) {
			t.Fatal("a call in flight is cut off because another has failed")
		}
		server.Leave(near, who, false)
		<-time.After(server.ProvingTime - time.Second)
		if !isOpen(far) {
			t.Error("it is closed at once")
		}
		<-time.After(2 * time.Second)
		if isOpen(far) {
			t.Error("it stays, though the store has agreed to nothing")
		}
	})
}

func TestConnectionOnWhichACallWentWellStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		who := storeUser(t, auth.NewStoreUsers(auth.Permissions{}), "shop")
		near, far := d.connect()
		for _, certain := range []bool{true, false} {
			server.Enter(near, who)
			server.Leave(near, who, certain)
		}
		<-time.After(2 * server.ProvingTime)
		if !isOpen(far) {
			t.Error("it is closed for a failure")
		}
	})
}

// No call is let in on a connection that is being closed, and no connection is closed that a call was let in on.
func TestConnectionIsEitherProvenOrClosed(t *testing.T) {
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
		var begun atomic.Int32
		together := func() {
			for begun.Add(1); begun.Load() < 2; {
			}
		}
		both.Go(func() {
			together()
			server.Lapse(near)
		})
		together()
		in := server.Prove(near)
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
	users := auth.NewStoreUsers(auth.Permissions{})
	agreed := storeUser(t, users, "shop")
	agreed.Store.MarkVerified()
	for _, row := range []struct {
		name         string
		greedy, next *auth.Caller
		nextFrom     string
		most         int
	}{
		{"a name", &auth.Caller{Name: "orders", Authenticated: true}, &auth.Caller{Name: "crm", Authenticated: true}, "192.0.2.1", server.MaxShare},
		{"an account that the store has taken", agreed, storeUser(t, users, "stranger"), "192.0.2.1", server.MaxShare},
		{"a host, while the store has not taken its accounts", storeUser(t, users, "stranger"), agreed, "192.0.2.1", server.MaxShare},
		{"a host, beside another", storeUser(t, users, "stranger"), storeUser(t, users, "other"), "192.0.2.2", server.MaxShare},
		{"nothing, where everybody may call", &auth.Caller{}, nil, "", server.MaxProven},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := openDoor(t)
				var first net.Conn
				for i := range row.most {
					near, _ := d.connect()
					if !server.Enter(near, row.greedy) {
						t.Fatalf("connection %d has no room", i)
					}
					if i == 0 {
						first = near
					}
				}
				late, _ := d.connect()
				if server.Enter(late, row.greedy) {
					t.Error("one more is let in")
				}
				if !server.Enter(first, row.greedy) {
					t.Error("one that is in is told to leave")
				}
				if row.next != nil {
					if other, _ := d.connectFrom(row.nextFrom); !server.Enter(other, row.next) {
						t.Error("another caller is kept out")
					}
				}
				_ = first.Close()
				if !server.Enter(late, row.greedy) {
					t.Error("the room of one that has left is not given on")
				}
			})
		})
	}
}

// Once the store has taken an account, its connection makes room for others of the same host.
func TestConnectionBecomesItsCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDoor(t)
		users := auth.NewStoreUsers(auth.Permissions{})
		for i := range 2 * server.MaxShare {
			who := storeUser(t, users, []string{"shop", "crm"}[i%2])
			near, _ := d.connect()
			if !server.Enter(near, who) {
				t.Fatalf("connection %d has no room", i)
			}
			who.Store.MarkVerified()
			who = storeUser(t, users, []string{"shop", "crm"}[i%2])
			server.Leave(near, who, true)
		}
	})
}
