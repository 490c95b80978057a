package connlimit

import (
	"net"
	"sync"
)

// NewListener bounds the connections of a listener. evicted is called for each connection that is evicted; it must not
// wait for anything.
func NewListener(listener net.Listener, evicted func(Reason, net.Addr)) net.Listener {
	return &boundedListener{
		Listener: listener, table: newTable(evicted),
		failed: make(chan error), closing: make(chan struct{}),
	}
}

// boundedListener accepts connections at once, also those that have to wait: the kernel's queue is one for all hosts, so
// that a flood in it would delay the others.
type boundedListener struct {
	net.Listener

	table   *table
	start   sync.Once
	failed  chan error // of the listener within
	stop    sync.Once
	closing chan struct{}
}

// Accept returns a connection that has a place in the table.
func (l *boundedListener) Accept() (net.Conn, error) {
	l.start.Do(func() { go l.acceptAll() })
	for {
		if c := l.table.nextAdmitted(); c != nil {
			return c, nil
		}
		select {
		case <-l.table.ready:
		case err := <-l.failed:
			return nil, err
		case <-l.closing:
			return nil, net.ErrClosed
		}
	}
}

// acceptAll accepts connections until the listener is closed. After an error it goes on when the error was returned and
// Accept is called again, so that the server decides how long to pause.
func (l *boundedListener) acceptAll() {
	for {
		conn, err := l.Listener.Accept()
		if err == nil {
			l.table.accept(conn)
			continue
		}
		select {
		case l.failed <- err:
		case <-l.closing:
			return
		}
	}
}

// Close closes the listener, and the connections that Accept has not returned yet.
func (l *boundedListener) Close() error {
	var err error
	l.stop.Do(func() {
		close(l.closing)
		err = l.Listener.Close()
		l.table.close()
	})
	return err
}
