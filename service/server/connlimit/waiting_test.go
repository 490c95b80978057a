package connlimit

import (
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
)

// arrivals are connections that reach a listener while a server accepts.
type arrivals struct {
	*testListener

	mu     sync.Mutex
	served []*Conn
}

func arriving(t testing.TB) *arrivals {
	a := &arrivals{testListener: newTestListener(t)}
	go func() {
		for {
			near, err := a.bounded.Accept()
			if err != nil {
				return
			}
			a.mu.Lock()
			a.served = append(a.served, near.(*Conn))
			a.mu.Unlock()
		}
	}()
	return a
}

// arrive makes a number of connections of a host, and returns their far ends.
func (a *arrivals) arrive(ip string, number int) []net.Conn {
	var all []net.Conn
	for range number {
		far, accepted := net.Pipe()
		a.coming <- addressedConn{accepted, &net.TCPAddr{IP: net.ParseIP(ip), Port: 49152}}
		a.t.Cleanup(func() { _, _ = far.Close(), accepted.Close() })
		all = append(all, far)
	}
	synctest.Wait()
	return all
}

// servedFrom counts the connections of a host that the server has got.
func (a *arrivals) servedFrom(ip string) int {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	count := 0
	for _, c := range a.served {
		if c.from == hostOf(&net.TCPAddr{IP: net.ParseIP(ip)}) {
			count++
		}
	}
	return count
}

// authenticate admits a call on one of the connections that the server has got.
func (a *arrivals) authenticate(number int) {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !authenticate(a.served[number]) {
		a.t.Errorf("call %d is rejected", number)
	}
}

const flooding, beside = "192.0.2.1", "192.0.2.2"

func TestBurstPassesThroughTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := arriving(t)
		const clients = 1000
		a.arrive(flooding, clients)
		for authenticated := range clients {
			if got, want := a.servedFrom(flooding), min(authenticated+MaxUnauthenticated, clients); got != want {
				t.Fatalf("%d connections are served, want %d", got, want)
			}
			a.authenticate(authenticated)
		}
		a.checkEvictions(map[Reason]int{})
	})
}

// A burst may take longer than a flood is given, if its clients authenticate all the time.
func TestSlowBurstLosesNoConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := arriving(t)
		const clients, each = 600, 8 * time.Millisecond
		a.arrive(flooding, clients)
		for i := range clients {
			<-time.After(each)
			a.authenticate(i)
		}
		a.checkEvictions(map[Reason]int{})
	})
}

func TestFloodEvictsItsOwnConnectionsAfterAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := arriving(t)
		a.arrive(flooding, MaxUnauthenticated+100)
		<-time.After(maxWait - time.Millisecond)
		a.checkEvictions(map[Reason]int{})
		<-time.After(2 * time.Millisecond)
		a.checkEvictions(map[Reason]int{TableFull: 100})
		<-time.After(authenticationTime)
		a.checkEvictions(map[Reason]int{TableFull: 100, Expired: MaxUnauthenticated})
	})
}

// A host cannot make others of it wait forever by authenticating as fast as a burst does.
func TestWaitIsBoundedWhileTheHostAuthenticates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := arriving(t)
		a.arrive(flooding, MaxUnauthenticated+maxWaiting)
		next := 0
		for begin := time.Now(); time.Since(begin) < 2*maxWait; <-time.After(time.Second) {
			for range burstProgress {
				a.authenticate(next)
				next++
			}
		}
		synctest.Wait()
		bounded := a.bounded.(*boundedListener).table
		bounded.mu.Lock()
		defer bounded.mu.Unlock()
		if bounded.waiting > 0 {
			t.Errorf("%d connections wait", bounded.waiting)
		}
	})
}

func TestNewcomerOfAnotherHostWaitsShortly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := arriving(t)
		a.arrive(flooding, MaxUnauthenticated+maxWaiting)
		a.arrive(beside, 1)
		<-time.After(maxWaitOfOtherHost)
		if a.servedFrom(beside) != 1 {
			t.Error("the newcomer waits")
		}
	})
}

// The next free place is for the host with the fewest connections, not for the burst that came first.
func TestFreePlaceIsForTheHostWithTheFewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := arriving(t)
		a.arrive(flooding, MaxUnauthenticated+100)
		a.arrive(beside, 1)
		a.authenticate(0)
		if a.servedFrom(beside) != 1 {
			t.Error("the newcomer waits")
		}
		a.checkEvictions(map[Reason]int{})
	})
}

func TestWaitingConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := arriving(t)
		a.arrive(flooding, MaxUnauthenticated+maxWaiting+3)
		a.checkEvictions(map[Reason]int{TableFull: 3})
	})
}

func TestClosedListenerClosesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := arriving(t)
		all := a.arrive(flooding, MaxUnauthenticated+1)
		_ = a.bounded.Close()
		if !isOpen(all[0]) || isOpen(all[MaxUnauthenticated]) {
			t.Error("want the first connection open and the waiting one closed")
		}
		a.checkEvictions(map[Reason]int{})
	})
}

func TestEvictionsAreReportedWithTheirReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newTestListener(t)
		near, far := l.connect()
		send(near, far, maxFirstCalls)
		send(near, far, 1)
		flood := l.sender(anonymous())
		flood.sends(func(f *http2.Framer) {
			for range maxControlFrames + 1 {
				_ = f.WritePing(true, [8]byte{})
			}
		})
		l.connect()
		<-time.After(2 * authenticationTime)
		l.checkEvictions(map[Reason]int{Memory: 1, Flood: 1, Expired: 1})
	})
}
