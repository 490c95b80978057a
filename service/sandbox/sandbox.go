// Package sandbox is a stand-in for a FluentCart store: the REST calls that read and update a customer, over a few
// customers held in memory. It answers as a live store of version 1.5.2 was recorded answering, oddities included.
// "(F9)" and the like in the comments number the facts measured on that store.
package sandbox

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Config is what a shop owner can set on a store that changes its answers, and what a test can make of the machine
// under it. The zero Config is a store at its best: it answers at once, and as many requests as there are.
type Config struct {
	// SplitNames makes the store ask for first_name and last_name in place of full_name (F11).
	SplitNames bool
	// Customers is how many customers there are beside the fixture's: no WordPress user's, with the ids from 1001. The
	// store looks at every customer's e-mail in each write, so keep to a few thousand.
	Customers int

	// Workers is how many requests are worked on at once; the others wait, and are dropped when their client goes
	// before their turn. It is PHP-FPM's pm.max_children. 0 is no limit.
	Workers int
	// Latency is how long each request holds its worker before it has its effect and its answer. It goes on when the
	// client has gone, as PHP does (F22).
	Latency time.Duration
	// Fail is asked once for each request to a customer's route what goes wrong with it; nil is nothing. It is called
	// from many requests at once, and must leave the body unread.
	Fail func(*http.Request) *Failure

	// KeepLog makes the store remember every write for Writes. The log has no bound: it is for tests.
	KeepLog bool
}

// Store is one FluentCart store. It is safe for concurrent use.
type Store struct {
	splitNames bool
	workers    workers
	latency    time.Duration
	fail       func(*http.Request) *Failure
	keepLog    bool

	traffic *traffic

	access      sync.RWMutex // guards credentials
	credentials map[string]credential

	mu        sync.RWMutex // guards what follows
	customers map[int64]customer
	accounts  map[int64]account
	log       []Write
}

var _ http.Handler = (*Store)(nil)

// New returns a store in the fixture's state. It panics if the fixture is broken: that file is compiled into the
// binary, so the fault is the programmer's, any test that makes a store finds it, and no caller could mend it.
func New(cfg Config) *Store {
	f, err := readFixture()
	if err != nil {
		panic(fmt.Sprintf("sandbox: embedded fixture: %v", err))
	}
	addCrowd(f.customers, cfg.Customers)
	return &Store{
		splitNames:  cfg.SplitNames,
		credentials: newCredentials(f.accounts),
		workers:     newWorkers(cfg.Workers),
		latency:     cfg.Latency,
		fail:        cfg.Fail,
		keepLog:     cfg.KeepLog,
		traffic:     newTraffic(),
		customers:   f.customers,
		accounts:    f.accounts,
	}
}
