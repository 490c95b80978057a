package server_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// tearing are texts that would break a line of a log, or move the cursor of its reader.
var tearing = []string{"a\r\nlevel=ERROR msg=forged", "\x1b[2J\x1b[31mred", "a\u2028b\u2029c\u0085d", "a\x00b", "a\xff\xfeb", "\u202eright to left", `"}` + "\n" + `{"msg":"forged"}`}

// Each record of the log is one line, whatever texts come: one JSON object, or text without control characters.
func TestEachRecordOfTheLogIsOneLine(t *testing.T) {
	answer := &rawAnswer{}
	g := startWatched(t, options{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				answer.serve(w, r, next)
				return
			}
			next.ServeHTTP(w, r)
		})
	}})
	for _, text := range tearing {
		*answer = rawAnswer{Status: 422, Body: `{"code":` + quotedJSON(text) + `,"message":` + quotedJSON(text) + `,"errors":{` + quotedJSON(text) + `:{` + quotedJSON(text) + `:` + quotedJSON(text) + `}}}`}
		plain := strings.ToValidUTF8(text, "?") // what protobuf's own encoder takes
		customer := &customerv1.Customer{Notes: &plain, City: &plain, Email: &plain, UserLink: plain, PurchaseValue: map[string]int64{plain: 1}}
		for _, call := range []*customerv1.UpdateCustomerRequest{
			{CustomerId: 1, Customer: customer, Etag: plain},
			{CustomerId: 1, Customer: &customerv1.Customer{Notes: &plain}},
			{CustomerId: 1, Customer: customer, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{plain, "customer." + plain}}},
		} {
			ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id-bin", text)
			_, _ = g.grpc.UpdateCustomer(ctx, call)
		}
		body := `{"notes":` + quotedJSON(text) + `,` + quotedJSON(text) + `:1}`
		for _, target := range []string{
			"/v1/customers/1", "/v1/customers/" + url.PathEscape(text), "/" + url.PathEscape(text), "/v1/customers/1?etag=" + url.QueryEscape(text),
			"/v1/customers/1?" + url.QueryEscape(text) + "=1", "/v1/customers/1?update_mask=" + url.QueryEscape(text),
		} {
			for _, content := range []string{body, text, `{"notes":` + quotedJSON(text) + `}`} {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, target, strings.NewReader(content))
				for _, name := range []string{"X-Request-Id", "If-Match", "Grpc-Timeout", "User-Agent", "X-Forwarded-For"} {
					r.Header = http.Header{name: {text}} // a client that is not net/http's may send these
					g.json.ServeHTTP(httptest.NewRecorder(), r.Clone(t.Context()))
				}
				r.Method = text
				g.json.ServeHTTP(httptest.NewRecorder(), r)
			}
		}
		if _, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: proto.String("Lyon")}}); err == nil {
			t.Error("the store did not reject the update")
		}
	}
	g.stopNow(t)
	g.checkLogs(t)
	if lines := strings.Count(g.log.String(), "\n"); lines < len(tearing)*50 {
		t.Errorf("%d lines", lines)
	}
}

// quotedJSON returns a text in JSON, with only its control characters escaped.
func quotedJSON(text string) string {
	var out strings.Builder
	out.WriteByte('"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			out.WriteString(`\` + string(rune(c)))
		case c < 0x20:
			out.WriteString(`\u00` + string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]))
		default:
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}
