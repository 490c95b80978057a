package service_test

import (
	"net/http"
	"sync"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// failFirstWrite injects the failure into the first write, and into no other request.
func failFirstWrite(failure sandbox.Failure) func(*http.Request) *sandbox.Failure {
	var once sync.Once
	return func(r *http.Request) (f *sandbox.Failure) {
		if r.Method == http.MethodPut {
			once.Do(func() { f = &failure })
		}
		return f
	}
}

// delayWrites injects a delay into every write.
func delayWrites(by time.Duration) func(*http.Request) *sandbox.Failure {
	return func(r *http.Request) *sandbox.Failure {
		if r.Method == http.MethodPut {
			return &sandbox.Failure{Delay: by}
		}
		return nil
	}
}
