package admission_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/admission"
)

func TestLatencyEstimateFollowsRecentDurationsAndFades(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var estimate admission.LatencyEstimate
		if got := estimate.Mean(); got != 0 {
			t.Errorf("without data the estimate is %s", got)
		}
		for range 50 {
			estimate.Add(time.Second)
		}
		if got := estimate.Mean(); got != time.Second {
			t.Errorf("the mean of 50 times 1 s is %s", got)
		}
		for range 50 {
			estimate.Add(2 * time.Second)
		}
		if got := estimate.Mean(); got < 1900*time.Millisecond {
			t.Errorf("after 50 times 2 s the mean is %s", got)
		}
		estimate.Add(time.Hour)
		if got := estimate.Mean(); got > 4*time.Second {
			t.Errorf("a single duration of an hour makes it %s", got)
		}
		<-time.After(time.Minute)
		if got := estimate.Mean(); got > time.Millisecond {
			t.Errorf("after a minute it is %s", got)
		}
	})
}
