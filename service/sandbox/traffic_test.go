package sandbox

import (
	"errors"
	"net/http"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestCloseEndsWaitingRequests(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
		city string
	}{
		{"a delay before the work", Config{Fail: always(Failure{Delay: never})}, oldCity},
		{"a delay that never reaches PHP", Config{Fail: always(Failure{Work: Never, Delay: never})}, oldCity},
		{"a worker's latency", Config{Latency: never}, oldCity},
		{"silence after the work", Config{Fail: always(Failure{Delivery: Silent})}, newCity},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			arrived := make(chan struct{})
			fail := tt.cfg.Fail
			tt.cfg.Fail = func(r *http.Request) *Failure {
				close(arrived)
				if fail == nil {
					return nil
				}
				return fail(r)
			}
			l := listen(t, tt.cfg)
			failed := make(chan error)
			go func() {
				_, err := l.move(t.Context(), t, newCity)
				failed <- err
			}()
			<-arrived
			l.store.Close()
			if err := <-failed; !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("error %v, want a reset", err)
			}
			wantCity(t, l.store, tt.city)
		})
	}
}

func TestCloseDropsLateWrites(t *testing.T) {
	l := listen(t, Config{KeepLog: true, Fail: always(Failure{Work: Late, LateBy: never})})
	for range 2 { // the second request arrives after the store was closed
		response, err := l.move(t.Context(), t, newCity)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		l.store.Close()
	}
	wantCity(t, l.store, oldCity)
	if writes := l.store.Writes(); len(writes) != 0 {
		t.Errorf("writes %+v", writes)
	}
}

func TestWaitReturnsAfterLateWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := New(Config{KeepLog: true, Fail: func(r *http.Request) *Failure {
			seconds, _ := strconv.Atoi(r.URL.Query().Get("late"))
			return &Failure{Work: Late, LateBy: time.Duration(seconds) * time.Second}
		}})
		start := time.Now()
		for _, late := range []string{"3", "1", "2"} {
			body := `{"id":1,"email":"ann@example.com","full_name":"Ann Lee","city":"` + late + `"}`
			wantStatus(t, send(t, store, http.MethodPut, customerPath(1)+"?late="+late, body), http.StatusGatewayTimeout)
		}
		wantCity(t, store, oldCity)
		store.Wait()
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("waited %v", took)
		}
		wantCity(t, store, "3") // the last write wins, even if its request came first (F23)
	})
}
