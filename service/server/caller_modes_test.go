package server_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// callerMode is a way to authenticate, with a caller that may call.
type callerMode struct {
	name    string
	options options
	// authorization is the header of the caller, if it needs one, and tls its configuration.
	authorization string
	tls           *tls.Config
	// forwarded are the credentials that the store gets.
	forwarded string
}

// callerModes are the values of --caller-auth.
func callerModes(t testing.TB) []callerMode {
	t.Helper()
	token, line, err := auth.NewToken("orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := auth.ParseTokens([]byte(line), auth.Permissions{})
	if err != nil {
		t.Fatal(err)
	}
	authority := authtest.NewAuthority(t)
	certificates := auth.NewCertificates(authority.Roots, []auth.Client{{SAN: "orders.internal"}})
	own := basic(sandbox.AdminUsername, sandbox.AdminPassword)
	theirs := basic(sandbox.AdminUsername, strings.ReplaceAll(sandbox.AdminPassword, " ", "")) // the same to WordPress
	return []callerMode{
		{name: "none", forwarded: own},
		{
			name: "token", options: options{callers: auth.Bearers{Tokens: func() *auth.Tokens { return tokens }}},
			authorization: "Authorization: Bearer " + token.Reveal(), forwarded: own,
		},
		{
			name: "mtls", options: options{callers: certificates, tls: &tls.Config{
				Certificates: []tls.Certificate{authority.Server(t)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Roots(),
			}},
			tls:       &tls.Config{ServerName: "localhost", RootCAs: authority.Roots(), Certificates: []tls.Certificate{authority.Client(t, []string{"orders.internal"})}},
			forwarded: own,
		},
		{name: "store", options: options{callers: verifiedStoreUsers(t, theirs)}, authorization: "Authorization: " + theirs, forwarded: theirs},
	}
}

// verifiedStoreUsers are store accounts of which one is verified, so that the store is not asked about it first.
func verifiedStoreUsers(t testing.TB, authorization string) *auth.StoreUsers {
	t.Helper()
	users := auth.NewStoreUsers(auth.Permissions{})
	caller, err := users.Authenticate(auth.Presented{Authorization: []string{authorization}})
	if err != nil {
		t.Fatal(err)
	}
	caller.Store.MarkVerified()
	return users
}

func basic(username, password string) string {
	request := http.Request{Header: http.Header{}}
	request.SetBasicAuth(username, password)
	return request.Header.Get("Authorization")
}

// updateOverJSON sets the city of customer 1 to Lyon, with headers as they stand.
func (e callerMode) updateOverJSON(t testing.TB, g *gateway, headers ...string) (*http.Response, []byte) {
	t.Helper()
	head := append([]string{"PATCH /v1/customers/1 HTTP/1.1", "Host: gateway.example"}, headers...)
	if e.authorization != "" {
		head = append(head, e.authorization)
	}
	head = append(head, fmt.Sprintf("Content-Length: %d", len(lyon)), "", lyon)
	return rawJSON(t, rawConn(t, strings.TrimPrefix(g.url, "http://"), e.tls), latin1(strings.Join(head, "\r\n")))
}

// updateOverGRPC is updateOverJSON over gRPC.
func (e callerMode) updateOverGRPC(t testing.TB, g *gateway, headers ...string) ([]hpack.HeaderField, error) {
	t.Helper()
	fields := []hpack.HeaderField{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: customerv1.CustomerService_UpdateCustomer_FullMethodName},
		{Name: ":authority", Value: "gateway.example"},
		{Name: "content-type", Value: "application/grpc"},
	}
	if e.authorization != "" {
		headers = append(slices.Clone(headers), e.authorization)
	}
	for line := range strings.SplitSeq(strings.Join(headers, "\r\n"), "\r\n") {
		if line == "" {
			continue
		}
		at := 1 + strings.IndexByte(line[1:], ':') // the first byte may be the colon of a pseudo-header
		fields = append(fields, hpack.HeaderField{Name: latin1(strings.ToLower(line[:at])), Value: latin1(strings.TrimSpace(line[at+1:]))})
	}
	over := e.tls
	if over != nil {
		over = over.Clone()
		over.NextProtos = []string{"h2"}
	}
	return rawGRPC(t, rawConn(t, g.conn.Target(), over), fields,
		&customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: proto.String("Lyon")}})
}

// latin1 turns each character into one byte, so that a file in UTF-8 can hold any bytes.
func latin1(text string) string {
	octets := make([]byte, 0, len(text))
	for _, r := range text {
		octets = append(octets, byte(r))
	}
	return string(octets)
}
