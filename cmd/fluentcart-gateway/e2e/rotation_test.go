package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// rotationTime is the limit for a new secret in a file to be in use.
const rotationTime = 2 * time.Second

// rotated is a gateway whose secrets are all replaced while it works.
type rotated struct {
	*process

	store     *sandbox.Store
	sentLast  atomic.Pointer[string] // the password of the last request to the store
	password  string
	authority *authtest.Authority // of the gateway's own certificates
	directory string

	callers atomic.Pointer[identity] // of callers that must be admitted
}

func (r *rotated) path(name string) string { return filepath.Join(r.directory, name) }

// put replaces a file, by writing into it or by renaming a new one.
func (r *rotated) put(t *testing.T, name string, content []byte, inPlace bool) {
	t.Helper()
	path := r.path(name)
	if !inPlace {
		path += ".new"
	}
	err := os.WriteFile(path, content, 0o600)
	if err == nil && !inPlace {
		err = os.Rename(path, r.path(name))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// serveAs gives the gateway a new certificate, and returns its number.
func (r *rotated) serveAs(t *testing.T, inPlace bool) *big.Int {
	t.Helper()
	pair := r.authority.Server(t)
	certificate, key := authtest.PEM(t, pair)
	r.put(t, "cert.pem", certificate, inPlace)
	r.put(t, "key.pem", key, inPlace)
	return pair.Leaf.SerialNumber
}

// changePassword makes a new application password, writes its file, and revokes the old one at once.
func (r *rotated) changePassword(t *testing.T, round int, inPlace bool) {
	t.Helper()
	before := r.password
	r.password = fmt.Sprintf("pass word %d", round)
	r.store.SetPasswords(sandbox.AdminUsername, before, r.password)
	r.put(t, "password", []byte(r.password+"\n"), inPlace)
	r.store.SetPasswords(sandbox.AdminUsername, r.password)
}

// ServeHTTP records the password of the request, and forwards it to the store.
func (r *rotated) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	_, password, _ := request.BasicAuth()
	r.sentLast.Store(&password)
	r.store.ServeHTTP(w, request)
}

// call updates a customer once over each transport, on new connections.
func (r *rotated) call(t testing.TB, as identity, customer int64, city string) error {
	overGRPC, overJSON, _, disconnect := r.connect(t, as)
	defer disconnect()
	for transport, client := range map[string]customerv1.CustomerServiceClient{"gRPC": overGRPC, "JSON": overJSON} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err := client.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: customer, Customer: &customerv1.Customer{City: proto.String(city + " over " + transport)}})
		cancel()
		if err != nil {
			return fmt.Errorf("over %s: %w", transport, err)
		}
	}
	return nil
}

// servedBy is the serial number of the certificate that the HTTP/JSON gateway presents.
func (r *rotated) servedBy(t *testing.T) *big.Int {
	t.Helper()
	as := r.callers.Load().tls.Clone()
	var number *big.Int
	as.VerifyConnection = func(state tls.ConnectionState) error {
		number = state.PeerCertificates[0].SerialNumber
		return nil
	}
	conn, err := (&tls.Dialer{Config: as}).DialContext(t.Context(), "tcp", strings.TrimPrefix(r.jsonURL, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	return number
}

// Every second all secrets are replaced: the certificate and key of the gateway, the tokens or the CA of its callers, and
// its password in the store. No call fails, and each new secret is in use in time.
func TestRotatedSecretsFailNoCall(t *testing.T) {
	rounds := 4
	if soaking(t) {
		rounds = 30
	}
	for name, kind := range map[string]func(*rotated) rotatingIdentity{
		"tokens":       func(r *rotated) rotatingIdentity { return &rotatingTokens{of: r} },
		"certificates": func(r *rotated) rotatingIdentity { return &rotatingIssuers{of: r} },
	} {
		t.Run(name, func(t *testing.T) {
			r := &rotated{store: sandbox.New(sandbox.Config{Customers: 20}), authority: authtest.NewAuthority(t), directory: t.TempDir(), password: sandbox.AdminPassword}
			listening := httptest.NewServer(r)
			t.Cleanup(listening.Close)
			callers := kind(r)
			r.serveAs(t, true)
			r.changePassword(t, 0, true)
			first := callers.replace(t)
			r.callers.Store(&first)
			r.process = startGateway(t, listening.URL, append(callers.flags(),
				"--store-password-file="+r.path("password"),
				"--tls-cert="+r.path("cert.pem"), "--tls-key="+r.path("key.pem"))...)

			ctx, stop := context.WithCancel(t.Context())
			var working sync.WaitGroup
			var calls atomic.Int64
			for worker := range 4 {
				working.Go(func() {
					for n := 0; ctx.Err() == nil; n++ {
						if err := r.call(t, *r.callers.Load(), int64(1001+worker), fmt.Sprintf("City %d", n)); err != nil {
							t.Errorf("a call failed: %v", err)
							return
						}
						calls.Add(2)
					}
				})
			}
			r.rotate(t, callers, rounds)
			stop()
			working.Wait()
			t.Logf("%d calls in %d rounds, with a connection for each", calls.Load(), rounds)
			if code := r.stop(); code != 0 || strings.Contains(r.log.String(), `in use","file":`) { // the end of the message about an unusable file
				t.Errorf("exit code %d:\n%s", code, r.log)
			}
		})
	}
}

func (r *rotated) rotate(t *testing.T, callers rotatingIdentity, rounds int) {
	t.Helper()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	var before *identity // the credentials before the current ones
	for round := 1; round <= rounds && !t.Failed(); round++ {
		inPlace := round%2 == 0
		number := r.serveAs(t, inPlace)
		r.changePassword(t, round, inPlace)
		next := callers.replace(t)
		if !waitFor(t, rotationTime, func() bool { return r.call(t, next, 1010, fmt.Sprintf("Round %d", round)) == nil }) {
			t.Fatalf("after %s callers with the new secret are not admitted: %v", rotationTime, r.call(t, next, 1010, "again"))
		}
		if !waitFor(t, rotationTime, func() bool { return r.servedBy(t).Cmp(number) == 0 }) {
			t.Errorf("after %s the gateway still shows the old certificate", rotationTime)
		}
		if !waitFor(t, rotationTime, func() bool { return *r.sentLast.Load() == r.password }) {
			t.Errorf("after %s the gateway still sends the revoked password to the store", rotationTime)
		}
		if before != nil && !waitFor(t, rotationTime, func() bool { return r.call(t, *before, 1011, "x") != nil }) {
			t.Errorf("after %s callers with a removed secret are still admitted", rotationTime)
		}
		before = r.callers.Swap(&next)
		<-second.C
	}
}
