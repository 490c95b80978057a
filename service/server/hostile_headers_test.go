package server_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/caller"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/caller/callertest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// hostileHeaders is testdata/hostile_headers.json: what callers may try, by what comes of it.
type hostileHeaders struct {
	About           string
	Ignored         map[string][]string // on both doors, by topic
	IgnoredOverJSON []string            `json:"ignored_over_json"`
	IgnoredOverGRPC []string            `json:"ignored_over_grpc"`
	RefusedOverJSON []struct {
		Status int
		Header string
	} `json:"refused_over_json"`
	RefusedOverGRPC []string `json:"refused_over_grpc"`
	// Credentials are ignored where everybody may call, and refused beside or in place of those that a caller needs.
	Credentials []string
}

func loadHostileHeaders(t testing.TB) hostileHeaders {
	t.Helper()
	content, err := os.ReadFile("testdata/hostile_headers.json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(repeat(content)))
	decoder.DisallowUnknownFields()
	var hostile hostileHeaders
	if err := decoder.Decode(&hostile); err != nil {
		t.Fatal(err)
	}
	return hostile
}

// ignored are the headers that both doors ignore, in the order of the file's topics.
func (h hostileHeaders) ignored() []string {
	var all []string
	for _, topic := range slices.Sorted(maps.Keys(h.Ignored)) {
		all = append(all, h.Ignored[topic]...)
	}
	return all
}

// entry is the way in of a caller who may call.
type entry struct {
	name    string
	options options
	// authorization is the header of who needs one, and tls is what it speaks.
	authorization string
	tls           *tls.Config
	// forwarded are the credentials in whose name the store is asked.
	forwarded string
}

// entries are the ways of callers to prove who they are.
func entries(t testing.TB) []entry {
	t.Helper()
	token, line, err := caller.NewToken("orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := caller.ParseTokens([]byte(line), caller.Permissions{})
	if err != nil {
		t.Fatal(err)
	}
	authority := callertest.NewAuthority(t)
	certificates := caller.NewCertificates(authority.Roots, []caller.Client{{SAN: "orders.internal"}})
	own := basic(sandbox.AdminUsername, sandbox.AdminPassword)
	theirs := basic(sandbox.AdminUsername, strings.ReplaceAll(sandbox.AdminPassword, " ", "")) // the same to WordPress
	return []entry{
		{name: "none", forwarded: own},
		{
			name: "token", options: options{callers: caller.Bearers{Tokens: func() *caller.Tokens { return tokens }}},
			authorization: "Authorization: Bearer " + token.Reveal(), forwarded: own,
		},
		{
			name: "mtls", options: options{callers: certificates, tls: &tls.Config{
				Certificates: []tls.Certificate{authority.Server(t)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Roots(),
			}},
			tls:       &tls.Config{ServerName: "localhost", RootCAs: authority.Roots(), Certificates: []tls.Certificate{authority.Client(t, []string{"orders.internal"})}},
			forwarded: own,
		},
		{name: "store", options: options{callers: caller.NewStoreUsers(caller.Permissions{})}, authorization: "Authorization: " + theirs, forwarded: theirs},
	}
}

func basic(username, password string) string {
	request := http.Request{Header: http.Header{}}
	request.SetBasicAuth(username, password)
	return request.Header.Get("Authorization")
}

// golden is what the store gets, byte for byte, of a call that sets the city of customer 1 to Lyon.
func golden(t testing.TB, authorization string) string {
	t.Helper()
	content, err := os.ReadFile("testdata/golden_requests.txt")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(strings.TrimSuffix(string(content), "\n"), "\n", "\r\n")
	return strings.ReplaceAll(text, "{authorization}", authorization)
}

const lyon = `{"city":"Lyon"}`

// updateOverJSON sets the city of customer 1 to Lyon, with headers as they stand.
func (e entry) updateOverJSON(t testing.TB, g *gateway, headers ...string) (*http.Response, []byte) {
	t.Helper()
	head := append([]string{"PATCH /v1/customers/1 HTTP/1.1", "Host: gateway.example"}, headers...)
	if e.authorization != "" {
		head = append(head, e.authorization)
	}
	head = append(head, fmt.Sprintf("Content-Length: %d", len(lyon)), "", lyon)
	return rawJSON(t, rawConn(t, strings.TrimPrefix(g.url, "http://"), e.tls), latin1(strings.Join(head, "\r\n")))
}

// updateOverGRPC is updateOverJSON for the other door.
func (e entry) updateOverGRPC(t testing.TB, g *gateway, headers ...string) ([]hpack.HeaderField, error) {
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

// latin1 makes a byte of each character, so that a file in UTF-8 can hold any bytes.
func latin1(text string) string {
	octets := make([]byte, 0, len(text))
	for _, r := range text {
		octets = append(octets, byte(r))
	}
	return string(octets)
}

// Whatever a caller sends along, the store gets the same two requests, byte for byte, and the caller the same headers.
func TestStoreGetsNothingOfCallersHeaders(t *testing.T) {
	hostile := loadHostileHeaders(t)
	for _, e := range entries(t) {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			g, store := startWired(t, &forgetful{}, e.options)
			wanted := golden(t, e.forwarded)
			overJSON := append(hostile.ignored(), hostile.IgnoredOverJSON...)
			overGRPC := append(hostile.ignored(), hostile.IgnoredOverGRPC...)
			if e.name == "none" {
				overJSON, overGRPC = append(overJSON, hostile.Credentials...), append(overGRPC, hostile.Credentials...)
			}
			for _, headers := range alone(overJSON) {
				response, body := e.updateOverJSON(t, g, headers...)
				if diff := cmp.Diff(wanted, store.take()); response.StatusCode != http.StatusOK || diff != "" {
					t.Errorf("JSON, %.80q: %s: %s; requests to the store (-want +got):\n%s", headers, response.Status, body, diff)
				}
				checkAnswerHeader(t, headers, response)
			}
			for _, headers := range alone(overGRPC) {
				fields, err := e.updateOverGRPC(t, g, headers...)
				if diff := cmp.Diff(wanted, store.take()); err != nil || valueOf(fields, "grpc-status") != "0" || diff != "" {
					t.Errorf("gRPC, %.80q: %v, %v; requests to the store (-want +got):\n%s", headers, fields, err, diff)
				}
				checkAnswerFields(t, headers, fields)
			}
		})
	}
}

// alone is each header by itself, and then as many at a time as a request has room for.
func alone(headers []string) [][]string {
	var sets [][]string
	var short []string
	for _, header := range headers {
		sets = append(sets, []string{header})
		// These are read, and must be there once.
		if len(header) < 1000 && !strings.HasPrefix(header, "Content-Length") && !strings.HasPrefix(header, "Connection") {
			short = append(short, header)
		}
	}
	return append(sets, slices.Collect(slices.Chunk(short, 100))...)
}

// What a door refuses does not reach the store, and the refusal is clear.
func TestWhatADoorRefusesDoesNotReachTheStore(t *testing.T) {
	hostile := loadHostileHeaders(t)
	for _, e := range entries(t) {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			g, store := startWired(t, &forgetful{}, e.options)
			for _, refused := range hostile.RefusedOverJSON {
				response, body := e.updateOverJSON(t, g, refused.Header)
				if sent := store.take(); response.StatusCode != refused.Status || sent != "" {
					t.Errorf("JSON, %.80q: %s: %s; want %d; the store got %q", refused.Header, response.Status, body, refused.Status, sent)
				}
			}
			for _, header := range hostile.RefusedOverGRPC {
				fields, err := e.updateOverGRPC(t, g, header)
				if sent := store.take(); err == nil && valueOf(fields, "grpc-status") == "0" || sent != "" {
					t.Errorf("gRPC, %.80q: %v; the store got %q", header, fields, sent)
				}
			}
			if e.authorization == "" {
				return // everybody is let in, whatever they say
			}
			for _, header := range hostile.Credentials {
				response, body := e.updateOverJSON(t, g, header)
				fields, err := e.updateOverGRPC(t, g, header)
				if sent := store.take(); response.StatusCode != http.StatusUnauthorized || valueOf(fields, "grpc-status") != "16" || sent != "" {
					t.Errorf("%q beside the caller's own: JSON %s: %s; gRPC %v, %v; the store got %q", header, response.Status, body, fields, err, sent)
				}
			}
		})
	}
}

// The headers of answers are closed lists, too.
var (
	answerHeaders = []string{
		"Allow", "Connection", "Content-Length", "Content-Type", "Date", "Etag", "Retry-After", "Www-Authenticate", "X-Content-Type-Options", "X-Request-Id",
	}
	answerFields = []string{":status", "content-type", "grpc-message", "grpc-retry-pushback-ms", "grpc-status", "grpc-status-details-bin", "x-request-id"}
)

func checkAnswerHeader(t testing.TB, of any, response *http.Response) {
	t.Helper()
	for name := range response.Header {
		if !slices.Contains(answerHeaders, name) {
			t.Errorf("%.80q: the answer has the header %s: %q", of, name, response.Header[name])
		}
	}
	if len(response.TransferEncoding) > 0 || len(response.Trailer) > 0 {
		t.Errorf("%.80q: the answer has the transfer encoding %q and the trailers %v", of, response.TransferEncoding, response.Trailer)
	}
}

func checkAnswerFields(t testing.TB, of any, fields []hpack.HeaderField) {
	t.Helper()
	for _, field := range fields {
		if !slices.Contains(answerFields, field.Name) {
			t.Errorf("%.80q: the answer has %s", of, field)
		}
	}
}

func valueOf(fields []hpack.HeaderField, name string) string {
	for _, field := range fields {
		if field.Name == name {
			return field.Value
		}
	}
	return ""
}
