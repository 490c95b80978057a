package interceptor

import (
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

// The tests of whole calls show that the access log is outside recovery; this test is about all places.
func TestInterceptorsAreInOrder(t *testing.T) {
	wanted := []string{"measured", "knownMetadata", "requestID", "accessLog", "noBlindRetry", "recover", "deadline", "callerAuth", "authenticatedConnection"}
	chain := unary(Config{Transport: GRPC, Callers: auth.Anyone{}, Metrics: NewMetrics(), Logger: slog.New(slog.DiscardHandler)})
	if len(chain) != len(wanted) {
		t.Fatalf("%d interceptors, want %d", len(chain), len(wanted))
	}
	for i, interceptor := range chain {
		name := runtime.FuncForPC(reflect.ValueOf(interceptor).Pointer()).Name()
		if !strings.Contains(name, wanted[i]) {
			t.Errorf("interceptor %d is %s, want %s", i, name, wanted[i])
		}
	}
}
