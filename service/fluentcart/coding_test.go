package fluentcart_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// packed returns a text in the format of gzip.
func packed(t testing.TB, text string) string {
	t.Helper()
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, _ = io.WriteString(writer, text)
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The gateway asks for gzip. Some stores send another coding, or a label that is wrong.
func TestContentCodings(t *testing.T) {
	body := `{"message":"ok","customer":{` + annsColumns + `},"data":{` + annsColumns + `}}`
	once := packed(t, body)
	for _, row := range []struct {
		name, label, body string
		status            int
		coding            string // of the error; empty for a customer
	}{
		{"gzip", "gzip", once, 200, ""},
		{"gzip by its old name", "x-gzip", once, 200, ""},
		{"gzip in capitals, with spaces", " GZIP ", once, 200, ""},
		{"gzip beside identity", "identity, gzip", once, 200, ""},
		{"identity", "identity", body, 200, ""},
		{"gzip that was not done", "gzip", body, 200, ""},
		{"gzip that was not done, behind a warning", "gzip", "\n<br /><b>Warning</b>: x" + body, 200, ""},
		{"a character set for a coding", "UTF-8", body, 200, ""},
		{"two codings that were not done", "gzip, gzip", "\ufeff" + body, 200, ""},
		{"br", "br", "\x8b\x02\x80ann", 200, "br"},
		{"deflate", "deflate", "x\x9cann", 200, "deflate"},
		{"zstd", "ZSTD", "\x28\xb5\x2f\xfdann", 200, "zstd"},
		{"a coding of the store's own", "secret", "\x8b\x02", 200, "one that is not known"},
		{"gzip twice", "gzip, gzip", packed(t, once), 200, "more than one (such as gzip, gzip)"},
		{"gzip twice, labelled once", "gzip", packed(t, once), 200, "gzip, done twice"},
		{"gzip that is something else", "gzip", "ann", 200, "gzip, and the body is not"},
		{"gzip that ends early", "gzip", once[:len(once)-20], 200, "gzip, and the body is damaged"},
		{"br under 403", "br", "\x8b\x02\x80ann", 403, "br"},
	} {
		t.Run(row.name, func(t *testing.T) {
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Encoding", row.label)
				w.WriteHeader(row.status)
				_, _ = io.WriteString(w, row.body)
			})
			for method, err := range both(t.Context(), client) {
				if row.coding == "" {
					if err != nil {
						t.Errorf("%s: %v", method, err)
					}
					continue
				}
				coding, ok := errors.AsType[*fluentcart.CodingError](err)
				if got := failure(t, err); !ok || coding.Coding != row.coding || !got.Sent || method == http.MethodGet && got.Kind != fluentcart.BadAnswer || strings.Contains(got.Error(), "secret") {
					t.Errorf("%s: %v", method, err)
				}
			}
		})
	}
}

// net/http does not parse these headers, and the error says why.
func TestHeadersThatAreNotHTTPAreNamed(t *testing.T) {
	for _, row := range []struct{ name, header, says string }{
		{"a line without a colon", "secret line\r\n", "has a line without a colon"},
		{"a line that begins with a space", " secret: x\r\n", "has a line without a colon, or one that begins with a space"},
		{"80 KB", "X-Long: " + strings.Repeat("secret", 80<<10/6) + "\r\n", "is longer than 64 KiB"},
		{"many lines", strings.Repeat("X-Secret: secret\r\n", 5000), "is longer than 64 KiB"},
	} {
		t.Run(row.name, func(t *testing.T) {
			response := []byte("HTTP/1.1 200 OK\r\n" + row.header + "Content-Length: 2\r\n\r\n{}")
			for method, err := range map[string]error{
				"GET": get(t.Context(), newCannedClient(t, response)), "PUT": put(t.Context(), newCannedClient(t, response), nil),
			} {
				got := failure(t, err)
				if _, ok := errors.AsType[*fluentcart.HeaderError](err); !ok || got.Kind != fluentcart.BadAnswer || !got.Sent || !strings.Contains(got.Error(), row.says) || strings.Contains(strings.ToLower(got.Error()), "secret") {
					t.Errorf("%s: %v", method, got)
				}
			}
		})
	}
}
