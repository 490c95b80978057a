package interceptor

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// The lines of a limit that rejects many calls leave those of the others in place: an operator looks for the limit.
func TestOverloadIsSampledForEachLimit(t *testing.T) {
	var log bytes.Buffer
	rejections := NewRejectionLog("grpc", NewMetrics(), slog.New(slog.NewTextHandler(&log, nil)))
	for range 10 {
		for _, limit := range apierror.Limits() {
			rejections.Overload(t.Context(), apierror.New(apierror.Overloaded, apierror.NotSent, "").LimitedBy(limit))
		}
	}
	for _, limit := range apierror.Limits() {
		if lines := strings.Count(log.String(), " limit="+string(limit)+" "); lines == 0 {
			t.Errorf("no line has the limit %s:\n%s", limit, log.String())
		}
	}
}
