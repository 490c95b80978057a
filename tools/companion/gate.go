package companion

import (
	"encoding/binary"
	"io"
	"net"
	"regexp"
	"sync"
	"testing"
)

// Gate is a proxy in front of the database that reads the statements. A request of a test names itself by the header X-Gate,
// which the plug-in of the tests passes on as a statement; rules are about the statements of one such request.
type Gate struct {
	mu    sync.Mutex
	rules map[string]*Rule
}

// Rule says what happens at one statement of a request: the first for which At is true. The statement waits until Do has returned.
type Rule struct {
	At    func(n int, statement string) bool // n is 1 at the statement that begins the transaction, and 0 before it
	After bool                               // when the statement has run, and before WordPress has its result
	Do    func()                             // may be nil
	Cut   bool                               // cut the connection then
	Ended chan struct{}                      // closed at the end of the connection, unless it is nil

	done bool
}

// Add adds the rule for the request with the name.
func (g *Gate) Add(name string, rule *Rule) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rules[name] = rule
}

// matches reports whether the rule applies now. It applies once.
func (g *Gate) matches(name string, n int, statement string) *Rule {
	g.mu.Lock()
	defer g.mu.Unlock()
	rule := g.rules[name]
	if rule == nil || rule.done || rule.At == nil || !rule.At(n, statement) {
		return nil
	}
	rule.done = true
	return rule
}

// apply does what the rule says, and reports whether the connection is to be cut.
func (r *Rule) apply() bool {
	if r.Do != nil {
		r.Do()
	}
	return r.Cut
}

// ended signals that the connection of the request is closed.
func (g *Gate) ended(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if rule := g.rules[name]; rule != nil && rule.Ended != nil {
		close(rule.Ended)
		delete(g.rules, name)
	}
}

func startGate(t testing.TB, socket, database string) *Gate {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	g := &Gate{rules: map[string]*Rule{}}
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { g.pass(t, client, database) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		connections.Wait()
	})
	return g
}

// pass copies one connection, and applies the rules. Both directions end together.
func (g *Gate) pass(t testing.TB, client net.Conn, database string) {
	server, err := (&net.Dialer{}).DialContext(t.Context(), "unix", database)
	if err != nil {
		_ = client.Close()
		return
	}
	cut := func() {
		_ = client.Close()
		_ = server.Close()
	}
	after := make(chan *Rule, 1)
	var results sync.WaitGroup
	results.Go(func() {
		defer cut()
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			select {
			case rule := <-after:
				if rule.apply() {
					return
				}
			default:
			}
			if n > 0 {
				if _, err := client.Write(buffer[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
	name := g.passStatements(client, server, after)
	cut()
	results.Wait()
	g.ended(name)
}

var naming = regexp.MustCompile(`^DO 'gate: ([\w-]+)'$`)

// passStatements copies what the client sends until one side ends, and returns the name of the request.
func (g *Gate) passStatements(client io.Reader, server io.Writer, after chan<- *Rule) string {
	name, n := "", 0
	for {
		packet, err := readPacket(client)
		if err != nil {
			return name
		}
		const query = 3 // COM_QUERY
		if packet[3] == 0 && len(packet) > 4 && packet[4] == query {
			statement := string(packet[5:])
			if match := naming.FindStringSubmatch(statement); match != nil {
				name = match[1]
			}
			if n > 0 || statement == "SET autocommit=0" {
				n++
			}
			if rule := g.matches(name, n, statement); rule != nil {
				if rule.After {
					after <- rule
				} else if rule.apply() {
					return name
				}
			}
		}
		if _, err := server.Write(packet); err != nil {
			return name
		}
	}
}

// readPacket reads a packet of MariaDB's protocol: its length, its number in a command, and what it contains.
func readPacket(r io.Reader) ([]byte, error) {
	var header [4]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, err
	}
	packet := make([]byte, 4+binary.LittleEndian.Uint32([]byte{header[0], header[1], header[2], 0}))
	copy(packet, header[:])
	_, err := io.ReadFull(r, packet[4:])
	return packet, err
}
