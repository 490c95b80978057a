package e2e

import (
	"compress/gzip"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// The admin server shows neither secrets nor customers, on any path and during calls.
func TestAdminServerShowsNoSecretsAndNoCustomers(t *testing.T) {
	t.Parallel()
	_, store := startStore(t, sandbox.Config{})
	tokens := filepath.Join(t.TempDir(), "tokens")
	token, err := runGateway(t, "token", "orders", "--token-file="+tokens)
	if err != nil {
		t.Fatal(token)
	}
	bearer := "Bearer " + strings.TrimSpace(token)
	p := startGateway(t, store, "--admin-pprof", "--caller-auth=token", "--token-file="+tokens)

	ctx, stop := context.WithCancel(metadata.AppendToOutgoingContext(t.Context(), "authorization", bearer))
	var calls sync.WaitGroup
	for id := range int64(4) {
		calls.Go(func() {
			for ctx.Err() == nil {
				_, _ = p.customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: id + 1, Customer: &customerv1.Customer{
					FullName: proto.String("Canaryfirst Canarylast"), Notes: proto.String("canary notes " + time.Now().String()),
				}})
			}
		})
	}
	t.Cleanup(func() {
		stop()
		calls.Wait()
	})
	if !waitFor(t, 10*time.Second, func() bool {
		_, said := p.admin(t, "/metrics")
		return strings.Contains(said, `caller="orders",code="OK"`)
	}) {
		t.Fatal("no call is in the metrics")
	}

	canaries := []string{
		sandbox.AdminPassword, base64.StdEncoding.EncodeToString([]byte(sandbox.AdminUsername + ":" + sandbox.AdminPassword)),
		bearer, strings.TrimPrefix(bearer, "Bearer "), "Canaryfirst", "Canarylast", "canary notes", "ann@example",
	}
	for _, path := range []string{
		"/metrics", "/readyz", "/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/symbol", "/debug/pprof/goroutine?debug=1", "/debug/pprof/goroutine?debug=2",
		"/debug/pprof/goroutine", "/debug/pprof/heap", "/debug/pprof/heap?debug=1", "/debug/pprof/allocs", "/debug/pprof/threadcreate", "/debug/pprof/block",
		"/debug/pprof/mutex", "/debug/pprof/profile?seconds=1", "/debug/pprof/trace?seconds=1",
	} {
		httpStatus, said := p.admin(t, path)
		if httpStatus != http.StatusOK || said == "" && !strings.HasSuffix(path, "symbol") {
			t.Errorf("%s: %d, %d bytes", path, httpStatus, len(said))
		}
		said = unpacked(t, said)
		for _, canary := range canaries {
			if strings.Contains(said, canary) {
				t.Errorf("%s shows %q", path, canary)
			}
		}
	}
}

// unpacked returns the content of a profile, which may be compressed.
func unpacked(t *testing.T, content string) string {
	t.Helper()
	if !strings.HasPrefix(content, "\x1f\x8b") {
		return content
	}
	reader, err := gzip.NewReader(strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(whole)
}
