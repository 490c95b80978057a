package telemetry_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/telemetry"
)

func TestPhasesAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		record := &telemetry.Call{}
		ctx := telemetry.NewContext(t.Context(), record)
		begin := time.Now()
		for _, phase := range telemetry.Phases() {
			for range 2 {
				measured := telemetry.Begin(ctx, phase)
				advance(time.Duration(phase+1) * time.Second)
				measured.End()
			}
		}
		advance(7 * time.Second)
		for _, phase := range telemetry.Phases() {
			if got, want := record.Spent(phase), 2*time.Duration(phase+1)*time.Second; got != want {
				t.Errorf("%s: %s, want %s", phase, got, want)
			}
		}
		if own := record.Own(time.Since(begin)); own != 7*time.Second {
			t.Errorf("own time: %s, want 7s", own)
		}
	})
}

func TestContextWithoutRecordIsHarmless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		measured := telemetry.Begin(context.Background(), telemetry.Queue)
		advance(time.Second)
		if took := measured.End(); took != time.Second {
			t.Errorf("measured %s, want 1s", took)
		}
		record := telemetry.CallOf(context.Background())
		if got := record.Spent(telemetry.Queue); got != 0 {
			t.Errorf("a nil record spent %s", got)
		}
		if own := record.Own(time.Second); own != time.Second {
			t.Errorf("own time of a nil record: %s, want all", own)
		}
	})
}

// advance lets time pass in a bubble of synctest.
func advance(by time.Duration) { <-time.After(by) }
