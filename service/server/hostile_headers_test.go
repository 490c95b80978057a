package server_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2/hpack"
)

// hostileHeaders is testdata/hostile_headers.json: headers that callers may try, by their effect.
type hostileHeaders struct {
	About           string
	Ignored         map[string][]string // on both transports, by topic
	IgnoredOverJSON []string            `json:"ignored_over_json"`
	IgnoredOverGRPC []string            `json:"ignored_over_grpc"`
	RefusedOverJSON []struct {
		Status int
		Header string
	} `json:"refused_over_json"`
	RefusedOverGRPC []string `json:"refused_over_grpc"`
	// Credentials are ignored where everyone may call, and rejected with or instead of the credentials that a caller needs.
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

// ignored returns the headers that both transports ignore, in the order of the file's topics.
func (h hostileHeaders) ignored() []string {
	var all []string
	for _, topic := range slices.Sorted(maps.Keys(h.Ignored)) {
		all = append(all, h.Ignored[topic]...)
	}
	return all
}

// golden returns the bytes that the store gets for a call that sets the city of customer 1 to Lyon.
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

// Whatever headers a caller sends, the store gets the same two requests, byte for byte, and the caller the same headers.
func TestStoreGetsNoHeadersOfCallers(t *testing.T) {
	hostile := loadHostileHeaders(t)
	for _, e := range callerModes(t) {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			g, store := startRecorded(t, &forgetfulStore{}, e.options)
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
				checkResponseHeader(t, headers, response)
			}
			for _, headers := range alone(overGRPC) {
				fields, err := e.updateOverGRPC(t, g, headers...)
				if diff := cmp.Diff(wanted, store.take()); err != nil || valueOf(fields, "grpc-status") != "0" || diff != "" {
					t.Errorf("gRPC, %.80q: %v, %v; requests to the store (-want +got):\n%s", headers, fields, err, diff)
				}
				checkResponseFields(t, headers, fields)
			}
		})
	}
}

// alone returns each header by itself, and then as many at a time as fit into a request.
func alone(headers []string) [][]string {
	var sets [][]string
	var short []string
	for _, header := range headers {
		sets = append(sets, []string{header})
		// These are used, and must be present once.
		if len(header) < 1000 && !strings.HasPrefix(header, "Content-Length") && !strings.HasPrefix(header, "Connection") {
			short = append(short, header)
		}
	}
	return append(sets, slices.Collect(slices.Chunk(short, 100))...)
}

// A rejected header does not reach the store, and the rejection is clear.
func TestRejectedHeadersDoNotReachTheStore(t *testing.T) {
	hostile := loadHostileHeaders(t)
	for _, e := range callerModes(t) {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			g, store := startRecorded(t, &forgetfulStore{}, e.options)
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
				return // everyone may call, with any credentials
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

// The headers of responses are closed lists, too.
var (
	responseHeaders = []string{
		"Accept-Encoding", "Allow", "Cache-Control", "Connection", "Content-Length", "Content-Type", "Date", "Etag", "Retry-After", "Www-Authenticate", "X-Content-Type-Options", "X-Request-Id",
	}
	responseFields = []string{":status", "content-type", "grpc-message", "grpc-retry-pushback-ms", "grpc-status", "grpc-status-details-bin", "x-request-id"}
)

func checkResponseHeader(t testing.TB, of any, response *http.Response) {
	t.Helper()
	for name := range response.Header {
		if !slices.Contains(responseHeaders, name) {
			t.Errorf("%.80q: the response has the header %s: %q", of, name, response.Header[name])
		}
	}
	if len(response.TransferEncoding) > 0 || len(response.Trailer) > 0 {
		t.Errorf("%.80q: the response has the transfer encoding %q and the trailers %v", of, response.TransferEncoding, response.Trailer)
	}
}

func checkResponseFields(t testing.TB, of any, fields []hpack.HeaderField) {
	t.Helper()
	for _, field := range fields {
		if !slices.Contains(responseFields, field.Name) {
			t.Errorf("%.80q: the response has %s", of, field)
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
