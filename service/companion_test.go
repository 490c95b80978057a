package service

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
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

func TestWriteThatEndsTwiceIsCountedOnce(t *testing.T) {
	s := &Service{companion: newCompanion(&Config{WriteMode: Auto, SettleTime: time.Second})}
	s.companion.begin(0, 1)
	s.companion.begin(0, 1)
	w := &companionWrite{write: write{customer: 1}}
	s.ended(w)
	s.ended(w) // a panic comes after the first end
	if got := s.companion.inFlight[1]; got == nil || got.count != 1 {
		t.Errorf("in flight are %+v, want the other one", got)
	}
}

// A companion whose index is there and whose routes are not would be found and missed again all the time.
func TestProbesAfterMissesComeLaterEachTime(t *testing.T) {
	c := newCompanion(&Config{WriteMode: Auto})
	var pauses []time.Duration
	for range 12 {
		c.missed()
		pauses = append(pauses, <-c.wake)
	}
	if pauses[0] != time.Second || pauses[3] != 8*time.Second || pauses[11] != probeInterval {
		t.Errorf("the pauses are %v", pauses)
	}
	c.answered()
	c.missed()
	if pause := <-c.wake; pause != time.Second {
		t.Errorf("the pause after an answer is %v", pause)
	}
}

func TestProbeIsRepeatedSoonWhileNothingCanBeWritten(t *testing.T) {
	tests := []struct {
		name              string
		answered, missing bool
		pause, wait, next time.Duration
	}{
		{"the store answers", true, false, 8 * time.Second, probeInterval, firstProbePause},
		{"the store lacks the companion that is needed", true, true, 8 * time.Second, missingInterval, firstProbePause},
		{"no answer at first", false, false, firstProbePause, firstProbePause, 2 * firstProbePause},
		{"no answer for long", false, false, longestProbePause, longestProbePause, longestProbePause},
		{"no answer for long about a companion that is needed", false, true, 4 * time.Second, 4 * time.Second, missingInterval},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if wait, next := probePauses(tt.answered, tt.missing, tt.pause); wait != tt.wait || next != tt.next {
				t.Errorf("waits %v and then %v, want %v and %v", wait, next, tt.wait, tt.next)
			}
		})
	}
}

func TestErrorOfAStoreThatWasNotAskedYetIsTemporary(t *testing.T) {
	s := &Service{writeMode: Atomic, companion: newCompanion(&Config{WriteMode: Auto, SettleTime: time.Second})}
	for _, want := range []struct {
		problem string
		reason  apierror.Reason
	}{
		{"", apierror.StoreUnavailable},
		{noCompanion, apierror.StoreRouteMissing},
	} {
		if want.problem != "" {
			s.companion.set(false, want.problem)
		}
		close(s.companion.probed)
		_, err := s.updater(t.Context(), nil)
		s.companion.probed = make(chan struct{})
		if got := apierror.InfoOfError(err).GetReason(); got != string(want.reason) {
			t.Errorf("%q: %s, want %s", want.problem, got, want.reason)
		}
	}
}
