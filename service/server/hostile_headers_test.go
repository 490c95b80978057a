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
