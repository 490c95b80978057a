package service

import (
	"testing"
	"testing/synctest"
	"time"
)

// An atomic update takes the lease while updates by read, merge and write may be left, which the first probe alone rules out: a
// call waits for it. Each step is a probe: whether the store answered, and with the companion.
func TestAtomicUpdateIsLeasedWhileOthersMayBeLeft(t *testing.T) {
	type probe struct{ answered, found bool }
	tests := []struct {
		name   string
		probes []probe
		leased bool
	}{
		{"the first probe finds the companion", []probe{{true, true}}, false},
		{"the first probe gets no answer", []probe{{false, false}, {true, true}}, true},
		{"the first probe does not find it", []probe{{true, false}, {true, true}}, true},
		{"it has gone and come back", []probe{{true, true}, {true, false}, {true, true}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const settleTime = time.Second
				c := newCompanion(&Config{WriteMode: Auto, SettleTime: settleTime})
				for i, probe := range tt.probes {
					if probe.answered {
						c.set(probe.found, "")
					}
					if i == 0 {
						close(c.probed)
					}
				}
				way, _ := c.updater(nil)
				if got := way.needs().lease; got != tt.leased {
					t.Errorf("leased %v, want %v", got, tt.leased)
				}
				<-time.After(longestCall + settleTime)
				if way, _ := c.updater(nil); way.needs().lease {
					t.Error("leased although no other update can be left")
				}
			})
		})
	}
}
