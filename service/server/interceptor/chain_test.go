package interceptor

import (
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

// The tests of whole calls show that the access log is outside recovery; this test is about all places.
func TestInterceptorsAreInOrder(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	var calls, others []string
	for _, interceptor := range unary(Config{Transport: GRPC, Callers: auth.Anyone{}, Metrics: NewMetrics(), Logger: logger}) {
		calls = append(calls, nameOf(interceptor))
	}
	for _, interceptor := range streams(logger, nil) {
		others = append(others, nameOf(interceptor))
	}
	if diff := cmp.Diff([]string{
		"traced", "measured", "requestID", "accessLog", "retryPushback", "recovered", "deadline", "callerAuth", "authenticatedConnection",
	}, calls); diff != "" {
		t.Errorf("interceptors of calls (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"endedOnStop", "recoveredStream", "streamCallerAuth", "limitedStreamsOfConnection"}, others); diff != "" {
		t.Errorf("interceptors of streams (-want +got):\n%s", diff)
	}
}

// nameOf returns the name of the constructor that a closure comes from.
func nameOf(closure any) string {
	name := runtime.FuncForPC(reflect.ValueOf(closure).Pointer()).Name() // "path/interceptor.streams.accessLog.func1" where the constructor is inlined
	parts := strings.Split(name[strings.LastIndex(name, "/")+1:], ".")
	return parts[len(parts)-2]
}
