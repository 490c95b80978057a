package connlimit

import (
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func TestUnauthenticatedConnectionExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTestListener(t)
		_, unauthenticated := l.connect()
		near, authenticated := l.connect()
		<-time.After(authenticationTime - time.Second)
		if !isOpen(unauthenticated) {
			t.Error("the unauthenticated connection is closed too early")
		}
		if !authenticate(near) {
			t.Error("the connection cannot be authenticated")
		}
		<-time.After(2 * time.Second)
		if isOpen(unauthenticated) {
			t.Error("an unauthenticated connection does not expire")
		}
		if !isOpen(authenticated) {
			t.Error("a authenticated connection is closed")
		}
	})
}

func TestNewConnectionEvictsTheOldestUnauthenticatedOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTestListener(t)
		near, authenticated := l.connect()
		authenticate(near)
		var far []net.Conn
		for range MaxUnauthenticated + 2 {
			_, f := l.connect()
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
		l := newTestListener(t)
		_, first := l.connect()
		for range 3 * MaxUnauthenticated {
			near, _ := l.connect()
			_ = near.Close()
			_ = near.Close() // a second Close frees no second place
		}
		if !isOpen(first) {
			t.Error("the first connection is evicted by closed ones")
		}
	})
}

func TestAuthenticatedConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTestListener(t)
		first, _ := l.connect()
		authenticate(first)
		for range maxAuthenticated - 1 {
			near, _ := l.connect()
			if !authenticate(near) {
				t.Fatal("a connection is rejected although there is capacity")
			}
		}
		late, _ := l.connect()
		if authenticate(late) {
			t.Error("one more is admitted")
		}
		if !authenticate(first) {
			t.Error("an authenticated connection is rejected")
		}
		_ = first.Close()
		if !authenticate(late) {
			t.Error("the place of a closed connection is not free")
		}
	})
}

// A flood of connections from one host evicts none of another host, also of those that come later.
func TestFloodOfConnectionsEvictsOnlyItsOwnHost(t *testing.T) {
	for _, row := range []struct{ name, flooding, other string }{
		{"IPv4", "192.0.2.1", "192.0.2.2"},
		{"IPv6", "2001:db8:0:1::1", "2001:db8:0:2::1"},
		{"IPv4 in IPv6", "::ffff:192.0.2.1", "192.0.2.2"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newTestListener(t)
				_, before := l.connectFrom(row.other)
				var flood []net.Conn
				for range MaxUnauthenticated {
					_, far := l.connectFrom(row.flooding)
					flood = append(flood, far)
				}
				_, after := l.connectFrom(row.other)
				for range 2 * MaxUnauthenticated {
					l.connectFrom(row.flooding)
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
		l := newTestListener(t)
		_, other := l.connectFrom("2001:db8:0:2::1")
		for i := range 2 * MaxUnauthenticated {
			l.connectFrom(fmt.Sprintf("2001:db8:0:1::%x", i+1))
		}
		if !isOpen(other) {
			t.Error("it is evicted by many addresses of one network")
		}
	})
}
