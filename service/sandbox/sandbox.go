// Package sandbox is the sandbox store: a FluentCart store with the REST calls that read and update a customer, over a few
// customers held in memory. It responds as recorded on a live store of version 1.5.2, oddities included.
//
// It can inject faults into single requests ([Config].Fail), and imitate what stands in front of shops: a cache
// ([Config].Cache, F29) and a firewall ([Config].Firewall, F30). Named responses imitate plug-ins that end a request after
// the write (F25). It can have the companion, the plug-in that makes updates atomic ([Config].Companion). All of this is off
// by default. Package faults sets faults while the store runs.
//
// Comments quote the facts measured on that store as F1 to F34; BEHAVIOUR.md of the client lists them.
package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Config configures a sandbox store: the settings of a FluentCart shop that change its responses, and the limits and
// faults of the server that it imitates. The zero Config is a store without limits and faults: it responds immediately, to
// any number of requests.
type Config struct {
	// SplitNames makes the store ask for first_name and last_name in place of full_name (F11).
	SplitNames bool
	// Customers is the number of customers beside the fixture's. They are not linked to WordPress users, and their ids start
	// at 1001. Each write compares the e-mails of all customers, so use a few thousand at most.
	Customers int

	// Workers is how many requests are worked on at once, like PHP-FPM's pm.max_children. The others wait, and are dropped if
	// their client leaves before they get a worker. 0 is no limit.
	Workers int
	// Latency is how long each request holds its worker before its effect and its response. The request continues if the
	// client leaves, as in PHP (F22).
	Latency time.Duration
	// Fail is called once for each request that reads or updates a customer or cancels an update, and returns the fault to
	// inject; nil injects none. It is called concurrently, and must not read the body. Customer and Cancels tell it what the
	// request is for.
	Fail func(*http.Request) *Failure

	// Companion is whether the store has the companion plug-in at first; SetCompanion changes it.
	Companion bool

	// Cache is a cache in front of the store, and Firewall a firewall between the two (F29, F30); nil is none. Either can
	// also stand in front of any handler: NewCache, NewFirewall.
	Cache    *CacheConfig
	Firewall *FirewallConfig

	// KeepLog makes the store keep every write for Writes. The log is not bounded: it is for tests.
	KeepLog bool
}

// Store is one FluentCart store. It is safe for concurrent use.
type Store struct {
	splitNames bool
	extra      int // Config.Customers
	workers    workers
	latency    time.Duration
	fail       func(*http.Request) *Failure
	keepLog    bool
	companion  atomic.Bool
	front      http.Handler // receives the requests first: the cache, the firewall or receive

	traffic *traffic
	regions regions

	access      sync.RWMutex // guards credentials
	credentials map[string]credential

	mu        sync.RWMutex // guards what follows
	customers map[int64]Row
	accounts  map[int64]account
	attempts  *attempts // of the companion
	log       []Write
	resets    int // how often Reset was called
}

var _ http.Handler = (*Store)(nil)

// New returns a store in the fixture's state. It panics if the fixture is invalid: the file is compiled into the binary, so
// this is a programming error that any test with a store finds, and no caller could handle it.
func New(cfg Config) *Store {
	customers, accounts := initialRows(cfg.Customers)
	var names regions
	if err := json.Unmarshal(regionsJSON, &names); err != nil {
		panic(fmt.Sprintf("sandbox: embedded regions: %v", err))
	}
	s := &Store{
		splitNames:  cfg.SplitNames,
		extra:       cfg.Customers,
		credentials: newCredentials(accounts),
		workers:     newWorkers(cfg.Workers),
		latency:     cfg.Latency,
		fail:        cfg.Fail,
		keepLog:     cfg.KeepLog,
		traffic:     newTraffic(),
		regions:     names,
		customers:   customers,
		accounts:    accounts,
		attempts:    newAttempts(maxAttempts),
	}
	s.companion.Store(cfg.Companion)
	s.front = http.HandlerFunc(s.receive)
	if cfg.Firewall != nil {
		s.front = NewFirewall(s.front, *cfg.Firewall)
	}
	if cfg.Cache != nil {
		s.front = NewCache(s.front, *cfg.Cache)
	}
	return s
}
