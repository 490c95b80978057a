package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// watchedStore is a sandbox that says which requests have come.
type watchedStore struct {
	*sandbox.Store

	url string

	mu   sync.Mutex
	sent []string // methods
}

func newWatchedStore(t testing.TB) *watchedStore {
	t.Helper()
	store := &watchedStore{Store: sandbox.New(sandbox.Config{})}
	listening := httptest.NewServer(store)
	t.Cleanup(listening.Close)
	store.url = listening.URL
	return store
}

func (s *watchedStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.sent = append(s.sent, r.Method)
	s.mu.Unlock()
	s.Store.ServeHTTP(w, r)
}

// take returns what has come since the last take.
func (s *watchedStore) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := strings.Join(s.sent, " ")
	s.sent = nil
	return sent
}

// presenting is how somebody comes to a gateway.
type presenting struct {
	tls           *tls.Config // nil for none
	authorization string
}

// overBoth returns a client of each door that comes in this way, and the last answer over JSON, until the test ends.
func (p *process) overBoth(t testing.TB, as presenting) (overGRPC, overJSON customerv1.CustomerServiceClient, answer *http.Response) {
	t.Helper()
	overGRPC, overJSON, answer, disconnect := p.connect(t, as)
	t.Cleanup(disconnect)
	return overGRPC, overJSON, answer
}

func (p *process) connect(t testing.TB, as presenting) (overGRPC, overJSON customerv1.CustomerServiceClient, answer *http.Response, disconnect func()) {
	t.Helper()
	transport := insecure.NewCredentials()
	if as.tls != nil {
		transport = credentials.NewTLS(as.tls)
	}
	conn, err := grpc.NewClient(p.grpcAddr, grpc.WithTransportCredentials(transport),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
			if as.authorization != "" {
				ctx = metadata.AppendToOutgoingContext(ctx, "authorization", as.authorization)
			}
			return invoke(ctx, method, request, reply, conn, options...)
		}))
	if err != nil {
		t.Fatal(err)
	}
	carrier := &http.Transport{TLSClientConfig: as.tls}
	disconnect = func() {
		_ = conn.Close()
		carrier.CloseIdleConnections()
	}
	answer = &http.Response{}
	json := jsonClient{url: p.jsonURL, http: &http.Client{Transport: carrier}, answered: func(a *http.Response) { *answer = *a }}
	if as.authorization != "" {
		json.authorization = func() string { return as.authorization }
	}
	return customerv1.NewCustomerServiceClient(conn), json, answer, disconnect
}

// decision is what came of a call, in a form that is the same for both doors.
func decision(err error) string {
	s := status.Convert(err)
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return fmt.Sprintf("%s %s %s", s.Code(), info.GetReason(), info.GetMetadata()["write_state"])
		}
	}
	if s.Code() == codes.Unavailable {
		return "no connection"
	}
	return s.Code().String()
}

// attempts are the calls that each caller tries. Each changes customer 1 to what it has not been before.
var attempts = []struct {
	name    string
	request func(serial int) *customerv1.UpdateCustomerRequest
}{
	{"an update", func(serial int) *customerv1.UpdateCustomerRequest {
		return &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: proto.String(fmt.Sprintf("City %d", serial))}}
	}},
	{"a rehearsal", func(int) *customerv1.UpdateCustomerRequest {
		return &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: proto.String("Nowhere")}, ValidateOnly: true}
	}},
	{"a status", func(serial int) *customerv1.UpdateCustomerRequest {
		return &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{Status: proto.String(fmt.Sprintf("status %d", serial))}}
	}},
	{"a link to a user", func(int) *customerv1.UpdateCustomerRequest {
		return &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{UserId: proto.Int64(3)}, ValidateOnly: true}
	}},
	{"nonsense", func(int) *customerv1.UpdateCustomerRequest {
		return &customerv1.UpdateCustomerRequest{CustomerId: -1, Customer: &customerv1.Customer{}}
	}},
}

const (
	nonsense   = "InvalidArgument INVALID_FIELD not_sent"
	noStatus   = "PermissionDenied STATUS_CHANGE_FORBIDDEN not_sent"
	noLink     = "PermissionDenied USER_LINK_CHANGE_FORBIDDEN not_sent"
	unknown    = "Unauthenticated CALLER_UNAUTHENTICATED not_sent"
	forbidden  = "PermissionDenied CALLER_FORBIDDEN not_sent"
	notInStore = "Unauthenticated STORE_UNAUTHENTICATED not_sent"
	noManager  = "PermissionDenied STORE_FORBIDDEN not_sent"
	cutOff     = "no connection"
)

// sentFor is what reaches the store of a call that is refused: the read, where the store or what it holds decides.
var sentFor = map[string]string{
	nonsense: "", unknown: "", forbidden: "", cutOff: "",
	noStatus: "GET", noLink: "GET", notInStore: "GET", noManager: "GET",
}

// everything is the same decision about each attempt.
func everything(what string) []string { return slices.Repeat([]string{what}, len(attempts)) }

// The same callers try the same calls through both doors of a gateway of each kind. Whoever must not come in is refused
// before anything reaches the store; where the store decides, before anything is written.
func TestCallersAreDecidedAlikeOnBothDoors(t *testing.T) {
	trusted, stranger := authtest.NewAuthority(t), authtest.NewAuthority(t)
	certificate, key := authtest.PEM(t, trusted.Server(t))
	withTLS := []string{"--tls-cert=" + writeFile(t, "cert.pem", string(certificate)), "--tls-key=" + writeFile(t, "key.pem", string(key))}
	clientTLS := func(own ...tls.Certificate) *tls.Config {
		return &tls.Config{RootCAs: trusted.Roots(), Certificates: own, MinVersion: tls.VersionTLS12}
	}
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }

	tokens := map[string]string{} // by name
	var lines []string
	for name, may := range map[string]*auth.Permissions{"orders": nil, "reports": {}, "crm": {UserID: true, Status: true}} {
		token, line, err := auth.NewToken(name, may)
		if err != nil {
			t.Fatal(err)
		}
		tokens[name], lines = "Bearer "+token.Reveal(), append(lines, line)
	}
	withTokens := "--token-file=" + writeFile(t, "tokens", strings.Join(lines, "\n"))
	basic := func(username, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
	}
	usual := []string{"OK", "OK", "OK", noLink, nonsense}

	type row struct {
		caller string
		as     presenting
		want   []string // of each attempt
	}
	for _, gateway := range []struct {
		name string
		args []string
		rows []row
	}{
		{"none", nil, []row{
			{"anybody", presenting{}, usual},
			{"somebody with a credential of another kind", presenting{authorization: "Bearer x"}, usual},
		}},
		{"token", append([]string{"--caller-auth=token", withTokens}, withTLS...), []row{
			{"no TLS", presenting{authorization: tokens["orders"]}, everything(cutOff)},
			{"no token", presenting{tls: clientTLS()}, everything(unknown)},
			{"a wrong token", presenting{clientTLS(), "Bearer fcgw_wrong"}, everything(unknown)},
			{"a password", presenting{clientTLS(), basic("orders", "orders")}, everything(unknown)},
			{"a certificate instead", presenting{tls: clientTLS(trusted.Client(t, []string{"orders.internal"}))}, everything(unknown)},
			{"the right token", presenting{clientTLS(), tokens["orders"]}, usual},
			{"one that may change neither", presenting{clientTLS(), tokens["reports"]}, []string{"OK", "OK", noStatus, noLink, nonsense}},
			{"one that may change both", presenting{clientTLS(), tokens["crm"]}, []string{"OK", "OK", "OK", "OK", nonsense}},
		}},
		{"mtls", append([]string{
			"--caller-auth=mtls", "--tls-client-ca=" + writeFile(t, "ca.pem", string(trusted.PEM())),
			"--allow-client=orders.internal,reports.internal=-", "--allow-client=crm.internal=status+user_id",
		}, withTLS...), []row{
			{"no TLS", presenting{}, everything(cutOff)},
			{"no certificate", presenting{tls: clientTLS()}, everything(cutOff)},
			{"a token instead", presenting{clientTLS(), tokens["orders"]}, everything(cutOff)},
			{"another issuer", presenting{tls: clientTLS(stranger.Client(t, []string{"orders.internal"}))}, everything(cutOff)},
			{"an expired certificate", presenting{tls: clientTLS(trusted.Client(t, []string{"orders.internal"}, expired))}, everything(cutOff)},
			{"the certificate of a server", presenting{tls: clientTLS(trusted.Server(t))}, everything(cutOff)},
			{"another name", presenting{tls: clientTLS(trusted.Client(t, []string{"evil.internal"}))}, everything(forbidden)},
			{"no name", presenting{tls: clientTLS(trusted.Client(t, nil))}, everything(forbidden)},
			{"the right certificate", presenting{tls: clientTLS(trusted.Client(t, []string{"orders.internal"}))}, usual},
			{"one that may change neither", presenting{tls: clientTLS(trusted.Client(t, []string{"reports.internal"}))}, []string{"OK", "OK", noStatus, noLink, nonsense}},
			{"one that may change both", presenting{tls: clientTLS(trusted.Client(t, []string{"crm.internal"}))}, []string{"OK", "OK", "OK", "OK", nonsense}},
		}},
		{"store", append([]string{"--caller-auth=store"}, withTLS...), []row{
			{"no credential", presenting{tls: clientTLS()}, everything(unknown)},
			{"a token", presenting{clientTLS(), tokens["orders"]}, everything(unknown)},
			{"what cannot be a credential", presenting{clientTLS(), "Basic !"}, everything(unknown)},
			{"a wrong password", presenting{clientTLS(), basic(sandbox.AdminUsername, "wrong")}, append(everything(notInStore)[1:], nonsense)},
			{"nobody", presenting{clientTLS(), basic("nobody", sandbox.AdminPassword)}, append(everything(notInStore)[1:], nonsense)},
			{"a user who may not manage customers", presenting{clientTLS(), basic(sandbox.SubscriberUsername, sandbox.SubscriberPassword)}, append(everything(noManager)[1:], nonsense)},
			{"the right account", presenting{clientTLS(), basic(sandbox.AdminUsername, sandbox.AdminPassword)}, usual},
		}},
	} {
		t.Run(gateway.name, func(t *testing.T) {
			store := newWatchedStore(t)
			p := startProcess(t, "no", store.url, gateway.args...)
			serial := 0
			for _, row := range gateway.rows {
				t.Run(row.caller, func(t *testing.T) {
					overGRPC, overJSON, answer := p.overBoth(t, row.as)
					for i, attempt := range attempts {
						for door, client := range map[string]customerv1.CustomerServiceClient{"gRPC": overGRPC, "JSON": overJSON} {
							serial++
							_, err := client.UpdateCustomer(t.Context(), attempt.request(serial))
							if got := decision(err); got != row.want[i] {
								t.Errorf("%s over %s: %s, want %s", attempt.name, door, got, row.want[i])
							}
							sent := store.take()
							if wanted, refused := sentFor[row.want[i]]; refused && sent != wanted || !refused && sent == "" {
								t.Errorf("%s over %s: %s, and the store got %q", attempt.name, door, row.want[i], sent)
							}
						}
						checkChallenge(t, gateway.name, row.want[i], answer)
					}
				})
			}
			if code := p.stop(); code != exitOK {
				t.Errorf("exit code %d:\n%s", code, p.log)
			}
		})
	}
}

// checkChallenge looks at what the JSON door says in HTTP's own words.
func checkChallenge(t *testing.T, mode, want string, answer *http.Response) {
	t.Helper()
	challenge := answer.Header.Get("WWW-Authenticate")
	switch {
	case want == cutOff:
	case strings.HasPrefix(want, "Unauthenticated"):
		scheme := map[string]string{"token": "Bearer ", "store": "Basic "}[mode]
		if answer.StatusCode != http.StatusUnauthorized || scheme == "" || !strings.HasPrefix(challenge, scheme) {
			t.Errorf("%s, WWW-Authenticate %q", answer.Status, challenge)
		}
	case challenge != "":
		t.Errorf("%s, WWW-Authenticate %q", answer.Status, challenge)
	case strings.HasPrefix(want, "PermissionDenied") && answer.StatusCode != http.StatusForbidden:
		t.Errorf("%s for %s", answer.Status, want)
	}
}

// Whoever calls is in the log by name, and what proved it is not.
func TestCallersAreInTheLogByName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	var token strings.Builder
	if code := run(t.Context(), []string{"token", "--token-file=" + path, "orders"}, &token, &token); code != exitOK {
		t.Fatal(token.String())
	}
	store := newWatchedStore(t)
	p := startProcess(t, "no", store.url, "--caller-auth=token", "--token-file="+path, "--log-level=debug")
	for _, authorization := range []string{"Bearer " + strings.TrimSpace(token.String()), "Bearer wrong-token"} {
		overGRPC, overJSON, _ := p.overBoth(t, presenting{authorization: authorization})
		for _, client := range []customerv1.CustomerServiceClient{overGRPC, overJSON} {
			_, _ = client.UpdateCustomer(t.Context(), attempts[0].request(1)) // the log has it
		}
	}
	p.stop()
	log := p.log.String()
	if got := strings.Count(log, `"caller":"orders"`); got != 2 {
		t.Errorf("the name is in %d lines, want 2:\n%s", got, log)
	}
	if got := strings.Count(log, `"reason":"CALLER_UNAUTHENTICATED"`); got != 2 {
		t.Errorf("%d refusals are in the log, want 2:\n%s", got, log)
	}
	if strings.Contains(log, strings.TrimSpace(token.String())) || strings.Contains(log, "wrong-token") {
		t.Errorf("a token is in the log:\n%s", log)
	}
}
