package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log"
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

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// rotationTime is how long a new secret may lie in its file before it is in use.
const rotationTime = 2 * time.Second

// rotated is a gateway all of whose secrets are replaced while it works.
type rotated struct {
	*process

	store     *sandbox.Store
	sentLast  atomic.Pointer[string] // the password of the last request to the store
	password  string
	authority *authtest.Authority // of the gateway's own certificates
	directory string

	as atomic.Pointer[presenting] // how callers come that are to be let in
}

// proof is how a caller proves who it is, which is replaced as well.
type proof interface {
	// flags are those that the gateway needs for it; replace makes a new one, which is to be taken besides the last one.
	flags() []string
	replace(t *testing.T) presenting
}

func (r *rotated) path(name string) string { return filepath.Join(r.directory, name) }

// put replaces a file, at one time by writing into it, at another by putting another in its place.
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

// changePassword makes a new application password, hands it over, and revokes the old one at once.
func (r *rotated) changePassword(t *testing.T, round int, inPlace bool) {
	t.Helper()
	before := r.password
	r.password = fmt.Sprintf("pass word %d", round)
	r.store.SetPasswords(sandbox.AdminUsername, before, r.password)
	r.put(t, "password", []byte(r.password+"\n"), inPlace)
	r.store.SetPasswords(sandbox.AdminUsername, r.password)
}

// ServeHTTP notes with which password the gateway comes, and passes on to the store.
func (r *rotated) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	_, password, _ := request.BasicAuth()
	r.sentLast.Store(&password)
	r.store.ServeHTTP(w, request)
}

// tokensInTurn are bearer tokens.
type tokensInTurn struct {
	of    *rotated
	lines []string
}

func (p *tokensInTurn) flags() []string {
	return []string{"--caller-auth=token", "--token-file=" + p.of.path("tokens")}
}

func (p *tokensInTurn) replace(t *testing.T) presenting {
	t.Helper()
	token, line, err := auth.NewToken("orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	p.lines = append([]string{line}, p.lines...)
	p.lines = p.lines[:min(len(p.lines), 2)]
	p.of.put(t, "tokens", []byte(strings.Join(p.lines, "\n")), len(p.lines)%2 == 0)
	return presenting{&tls.Config{RootCAs: p.of.authority.Roots(), MinVersion: tls.VersionTLS12}, "Bearer " + token.Reveal()}
}

// issuersInTurn are client certificates, each of an issuer of its own.
type issuersInTurn struct {
	of      *rotated
	issuers [][]byte
}

func (p *issuersInTurn) flags() []string {
	return []string{"--caller-auth=mtls", "--tls-client-ca=" + p.of.path("ca.pem"), "--allow-client=orders.internal"}
}

func (p *issuersInTurn) replace(t *testing.T) presenting {
	t.Helper()
	issuer := authtest.NewAuthority(t)
	p.issuers = append([][]byte{issuer.PEM()}, p.issuers...)
	p.issuers = p.issuers[:min(len(p.issuers), 2)]
	var all []byte
	for _, one := range p.issuers {
		all = append(all, one...)
	}
	p.of.put(t, "ca.pem", all, false)
	own := issuer.Client(t, []string{"orders.internal"})
	return presenting{tls: &tls.Config{RootCAs: p.of.authority.Roots(), Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}}
}

// call updates a customer once over each door, over connections of their own.
func (r *rotated) call(t testing.TB, as presenting, customer int64, city string) error {
	overGRPC, overJSON, _, disconnect := r.connect(t, as)
	defer disconnect()
	for door, client := range map[string]customerv1.CustomerServiceClient{"gRPC": overGRPC, "JSON": overJSON} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err := client.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: customer, Customer: &customerv1.Customer{City: proto.String(city + " over " + door)}})
		cancel()
		if err != nil {
			return fmt.Errorf("over %s: %w", door, err)
		}
	}
	return nil
}

// servedBy is the number of the certificate that the JSON door shows.
func (r *rotated) servedBy(t *testing.T) *big.Int {
	t.Helper()
	as := r.as.Load().tls.Clone()
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

// Every second all secrets are replaced: the certificate and key of the gateway, the tokens or the issuers of its callers,
// and its password in the store. No call fails, and each new secret is in use in time.
func TestRotatedSecretsFailNoCall(t *testing.T) {
	rounds := 4
	if soaking(t) {
		rounds = 30
	}
	for name, kind := range map[string]func(*rotated) proof{
		"tokens":       func(r *rotated) proof { return &tokensInTurn{of: r} },
		"certificates": func(r *rotated) proof { return &issuersInTurn{of: r} },
	} {
		t.Run(name, func(t *testing.T) {
			r := &rotated{store: sandbox.New(sandbox.Config{Customers: 20}), authority: authtest.NewAuthority(t), directory: t.TempDir(), password: sandbox.AdminPassword}
			listening := httptest.NewServer(r)
			t.Cleanup(listening.Close)
			callers := kind(r)
			r.serveAs(t, true)
			r.changePassword(t, 0, true)
			first := callers.replace(t)
			r.as.Store(&first)
			r.process = startProcess(t, "no", listening.URL, append(callers.flags(),
				"--store-password-file="+r.path("password"),
				"--tls-cert="+r.path("cert.pem"), "--tls-key="+r.path("key.pem"))...)

			ctx, stop := context.WithCancel(t.Context())
			var working sync.WaitGroup
			var calls atomic.Int64
			for worker := range 4 {
				working.Go(func() {
					for turn := 0; ctx.Err() == nil; turn++ {
						if err := r.call(t, *r.as.Load(), int64(1001+worker), fmt.Sprintf("City %d", turn)); err != nil {
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
			if code := r.stop(); code != exitOK || strings.Contains(r.log.String(), "is no good") {
				t.Errorf("exit code %d:\n%s", code, r.log)
			}
		})
	}
}

func (r *rotated) rotate(t *testing.T, callers proof, rounds int) {
	t.Helper()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	var before *presenting // what was replaced by what is in use now
	for round := 1; round <= rounds && !t.Failed(); round++ {
		inPlace := round%2 == 0
		number := r.serveAs(t, inPlace)
		r.changePassword(t, round, inPlace)
		next := callers.replace(t)
		if !waitFor(t, rotationTime, func() bool { return r.call(t, next, 1010, fmt.Sprintf("Round %d", round)) == nil }) {
			t.Fatalf("after %s callers with the new secret are not let in: %v", rotationTime, r.call(t, next, 1010, "again"))
		}
		if !waitFor(t, rotationTime, func() bool { return r.servedBy(t).Cmp(number) == 0 }) {
			t.Errorf("after %s the gateway still shows the old certificate", rotationTime)
		}
		if !waitFor(t, rotationTime, func() bool { return *r.sentLast.Load() == r.password }) {
			t.Errorf("after %s the store is still asked with a password that was revoked", rotationTime)
		}
		if before != nil && !waitFor(t, rotationTime, func() bool { return r.call(t, *before, 1011, "x") != nil }) {
			t.Errorf("after %s callers with a secret that was taken back are still let in", rotationTime)
		}
		before = r.as.Swap(&next)
		<-second.C
	}
}

// A certificate that does not fit its key, a token in plain or half a password are not taken: what there was stays.
func TestBadFilesKeepTheGatewayGoing(t *testing.T) {
	r := &rotated{store: sandbox.New(sandbox.Config{}), authority: authtest.NewAuthority(t), directory: t.TempDir(), password: sandbox.AdminPassword}
	listening := httptest.NewServer(r)
	t.Cleanup(listening.Close)
	callers := &tokensInTurn{of: r}
	r.serveAs(t, true)
	r.put(t, "password", []byte(r.password), true)
	as := callers.replace(t)
	r.process = startProcess(t, "no", listening.URL, append(callers.flags(),
		"--store-password-file="+r.path("password"),
		"--tls-cert="+r.path("cert.pem"), "--tls-key="+r.path("key.pem"))...)

	other, _ := authtest.PEM(t, r.authority.Server(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) }))
	for name, content := range map[string]string{"cert.pem": string(other), "tokens": "orders fcgw_plain-canary", "password": "\n"} {
		r.put(t, name, []byte(content), false)
	}
	for _, file := range []string{"--tls-cert=", "--token-file=", "--store-password-file="} {
		if !waitFor(t, 10*time.Second, func() bool {
			return strings.Contains(r.log.String(), `is not usable; its previous contents stay in use","file":"`+file)
		}) {
			t.Errorf("the log does not say that the new %s is no good:\n%s", file, r.log)
		}
	}
	if err := r.call(t, as, 1, "Lyon"); err != nil {
		t.Errorf("a call failed: %v", err)
	}
	if strings.Contains(r.log.String(), "canary") {
		t.Errorf("the log shows what was in a file:\n%s", r.log)
	}
	r.put(t, "tokens", []byte("# nobody\n"), true)
	if !waitFor(t, rotationTime, func() bool { return r.call(t, as, 1, "Lyon") != nil }) {
		t.Error("the last token was taken back, and its bearer is let in")
	}
}

// In mode store the gateway has no credential of its own, and what it sends is its caller's.
func TestStoreGetsTheCallersOwnAccount(t *testing.T) {
	r := &rotated{store: sandbox.New(sandbox.Config{})}
	listening := httptest.NewServer(r)
	t.Cleanup(listening.Close)
	r.process = startProcess(t, "no", listening.URL, "--caller-auth=store")
	for _, password := range []string{"one", "two"} {
		r.store.SetPasswords(sandbox.AdminUsername, password)
		as := presenting{authorization: "Basic " + base64.StdEncoding.EncodeToString([]byte(sandbox.AdminUsername+":"+password))}
		if err := r.call(t, as, 1, "City of "+password); err != nil {
			t.Errorf("a call failed: %v", err)
		}
		if sent := *r.sentLast.Load(); sent != password {
			t.Errorf("the store got %q, want %q", sent, password)
		}
	}
	_, overJSON, _ := r.overBoth(t, presenting{authorization: "Basic " + base64.StdEncoding.EncodeToString([]byte("admin:one"))})
	_, err := overJSON.UpdateCustomer(t.Context(), attempts[0].request(1))
	if status.Code(err) != codes.Unauthenticated {
		t.Errorf("with a revoked password: %v", err)
	}
}

// A store whose certificate no public issuer vouches for is reached with its issuer's, which can be replaced too.
func TestStoreOfAPrivateIssuerIsReached(t *testing.T) {
	r := &rotated{store: sandbox.New(sandbox.Config{}), authority: authtest.NewAuthority(t), directory: t.TempDir()}
	listening := httptest.NewUnstartedServer(r)
	listening.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of each handshake that fails
	listening.TLS = &tls.Config{Certificates: []tls.Certificate{r.authority.Server(t)}, MinVersion: tls.VersionTLS12}
	listening.StartTLS()
	t.Cleanup(listening.Close)
	r.put(t, "ca.pem", authtest.NewAuthority(t).PEM(), true)
	r.process = startProcess(t, "no", listening.URL, "--store-ca="+r.path("ca.pem"))
	_, err := r.customers.UpdateCustomer(t.Context(), attempts[0].request(1))
	if got := decision(err); got != "Internal STORE_TLS not_sent" {
		t.Errorf("with another issuer's certificate: %s", got)
	}
	r.put(t, "ca.pem", r.authority.PEM(), false)
	if !waitFor(t, rotationTime, func() bool { return r.call(t, presenting{}, 1, "Lyon") == nil }) {
		t.Errorf("with the issuer's certificate: %v", r.call(t, presenting{}, 1, "Lyon"))
	}
}
