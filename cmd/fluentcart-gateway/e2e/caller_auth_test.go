package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// decision is the outcome of a call, in a form that is the same for both transports.
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

// attempts are the calls that each caller tries. Each changes customer 1 to values that are new.
var attempts = []struct {
	name    string
	request func(serial int) *customerv1.UpdateCustomerRequest
}{
	{"an update", func(serial int) *customerv1.UpdateCustomerRequest {
		return &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: proto.String(fmt.Sprintf("City %d", serial))}}
	}},
	{"a dry run", func(int) *customerv1.UpdateCustomerRequest {
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

// sentFor is the request that reaches the store although the call is refused: the read, if the store or the stored
// customer decides.
var sentFor = map[string]string{
	nonsense: "", unknown: "", forbidden: "", cutOff: "",
	noStatus: "GET", noLink: "GET", notInStore: "GET", noManager: "GET",
}

// always is the same decision about each attempt.
func always(decision string) []string { return slices.Repeat([]string{decision}, len(attempts)) }

// For each kind of authentication, the same callers try the same calls over both transports. A call is rejected before
// anything is sent to the store, or, where the store decides, before anything is written.
func TestBothTransportsAuthorizeAlike(t *testing.T) {
	trusted, untrusted := authtest.NewAuthority(t), authtest.NewAuthority(t)
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
		as     identity
		want   []string // of each attempt
	}
	for _, gateway := range []struct {
		name string
		args []string
		rows []row
	}{
		{"none", nil, []row{
			{"no credential", identity{}, usual},
			{"a credential of a different kind", identity{authorization: "Bearer x"}, usual},
		}},
		{"token", append([]string{"--caller-auth=token", withTokens}, withTLS...), []row{
			{"no TLS", identity{authorization: tokens["orders"]}, always(cutOff)},
			{"no token", identity{tls: clientTLS()}, always(unknown)},
			{"a wrong token", identity{clientTLS(), "Bearer fcgw_wrong"}, always(unknown)},
			{"a password", identity{clientTLS(), basic("orders", "orders")}, always(unknown)},
			{"a certificate instead", identity{tls: clientTLS(trusted.Client(t, []string{"orders.internal"}))}, always(unknown)},
			{"the right token", identity{clientTLS(), tokens["orders"]}, usual},
			{"one that may change neither", identity{clientTLS(), tokens["reports"]}, []string{"OK", "OK", noStatus, noLink, nonsense}},
			{"one that may change both", identity{clientTLS(), tokens["crm"]}, []string{"OK", "OK", "OK", "OK", nonsense}},
		}},
		{"mtls", append([]string{
			"--caller-auth=mtls", "--tls-client-ca=" + writeFile(t, "ca.pem", string(trusted.PEM())),
			"--allow-client=orders.internal,reports.internal=-", "--allow-client=crm.internal=status+user_id",
		}, withTLS...), []row{
			{"no TLS", identity{}, always(cutOff)},
			{"no certificate", identity{tls: clientTLS()}, always(cutOff)},
			{"a token instead", identity{clientTLS(), tokens["orders"]}, always(cutOff)},
			{"another issuer", identity{tls: clientTLS(untrusted.Client(t, []string{"orders.internal"}))}, always(cutOff)},
			{"an expired certificate", identity{tls: clientTLS(trusted.Client(t, []string{"orders.internal"}, expired))}, always(cutOff)},
			{"the certificate of a server", identity{tls: clientTLS(trusted.Server(t))}, always(cutOff)},
			{"another name", identity{tls: clientTLS(trusted.Client(t, []string{"evil.internal"}))}, always(forbidden)},
			{"no name", identity{tls: clientTLS(trusted.Client(t, nil))}, always(forbidden)},
			{"the right certificate", identity{tls: clientTLS(trusted.Client(t, []string{"orders.internal"}))}, usual},
			{"one that may change neither", identity{tls: clientTLS(trusted.Client(t, []string{"reports.internal"}))}, []string{"OK", "OK", noStatus, noLink, nonsense}},
			{"one that may change both", identity{tls: clientTLS(trusted.Client(t, []string{"crm.internal"}))}, []string{"OK", "OK", "OK", "OK", nonsense}},
		}},
		{"store", append([]string{"--caller-auth=store"}, withTLS...), []row{
			{"no credential", identity{tls: clientTLS()}, always(unknown)},
			{"a token", identity{clientTLS(), tokens["orders"]}, always(unknown)},
			{"a malformed credential", identity{clientTLS(), "Basic !"}, always(unknown)},
			{"a wrong password", identity{clientTLS(), basic(sandbox.AdminUsername, "wrong")}, append(always(notInStore)[1:], nonsense)},
			{"an unknown account", identity{clientTLS(), basic("nobody", sandbox.AdminPassword)}, append(always(notInStore)[1:], nonsense)},
			{"a user who may not manage customers", identity{clientTLS(), basic(sandbox.SubscriberUsername, sandbox.SubscriberPassword)}, append(always(noManager)[1:], nonsense)},
			{"the right account", identity{clientTLS(), basic(sandbox.AdminUsername, sandbox.AdminPassword)}, usual},
		}},
	} {
		t.Run(gateway.name, func(t *testing.T) {
			store := newRecordingStore(t)
			p := startGateway(t, store.url, gateway.args...)
			serial := 0
			for _, row := range gateway.rows {
				t.Run(row.caller, func(t *testing.T) {
					overGRPC, overJSON, answer := p.connectUntilEnd(t, row.as)
					for i, attempt := range attempts {
						for transport, client := range map[string]customerv1.CustomerServiceClient{"gRPC": overGRPC, "JSON": overJSON} {
							serial++
							_, err := client.UpdateCustomer(t.Context(), attempt.request(serial))
							if got := decision(err); got != row.want[i] {
								t.Errorf("%s over %s: %s, want %s", attempt.name, transport, got, row.want[i])
							}
							sent := store.take()
							if wanted, refused := sentFor[row.want[i]]; refused && sent != wanted || !refused && sent == "" {
								t.Errorf("%s over %s: %s, and the store got %q", attempt.name, transport, row.want[i], sent)
							}
						}
						checkChallenge(t, gateway.name, row.want[i], answer)
					}
				})
			}
			if code := p.stop(); code != 0 {
				t.Errorf("exit code %d:\n%s", code, p.log)
			}
		})
	}
}

// checkChallenge checks the status and the challenge of an HTTP answer.
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

// The log has the name of each caller, and no credential.
func TestCallersAreInTheLogByName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	printed, err := runGateway(t, "token", "--token-file="+path, "orders")
	if err != nil {
		t.Fatal(printed)
	}
	token := strings.TrimSpace(printed)
	store := newRecordingStore(t)
	p := startGateway(t, store.url, "--caller-auth=token", "--token-file="+path, "--log-level=debug")
	for _, authorization := range []string{"Bearer " + token, "Bearer wrong-token"} {
		overGRPC, overJSON, _ := p.connectUntilEnd(t, identity{authorization: authorization})
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
	if strings.Contains(log, token) || strings.Contains(log, "wrong-token") {
		t.Errorf("a token is in the log:\n%s", log)
	}
}
