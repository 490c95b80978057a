package server_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// A canary is a word that stands for personal data or a secret, and must not appear in a response or a log. Each begins
// with one of two stems, which are in no other word, nor in a request id, which has neither 8 nor 9: callers send zq8x,
// and the store has zq9s.
var stems = []string{"zq8x", "zq9s"}

// leaks returns the canaries in a text, in any case and encoding.
func leaks(text string) []string {
	var found []string
	for form, text := range map[string]string{"plain": text, "decoded": percentDecoded(text)} {
		lower := strings.ToLower(text)
		for _, stem := range stems {
			if i := strings.Index(lower, stem); i >= 0 {
				found = append(found, fmt.Sprintf("%s: …%s…", form, text[max(0, i-30):min(len(text), i+30)]))
			}
			for _, cased := range []string{stem, strings.ToUpper(stem[:1]) + stem[1:], strings.ToUpper(stem)} {
				if strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(cased[:3]))) { // where it begins a triple of bytes
					found = append(found, form+": base64 of "+cased)
				}
			}
		}
		for _, secret := range []string{sandbox.AdminPassword, base64.StdEncoding.EncodeToString([]byte(sandbox.AdminUsername + ":" + sandbox.AdminPassword))} {
			if strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret)) {
				found = append(found, form+": the store's password")
			}
		}
	}
	return found
}

// percentDecoded leaves other text as it is.
func percentDecoded(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if i+3 <= len(text) && text[i] == '%' {
			if decoded, err := url.PathUnescape(text[i : i+3]); err == nil {
				out.WriteString(decoded)
				i += 2
				continue
			}
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

// sent is a customer with a canary in each field.
func sent() *customerv1.Customer {
	return &customerv1.Customer{
		Email: proto.String("zq8xmail@zq8xhost.example"), FullName: proto.String("Zq8xfirst Zq8xlast"),
		City: proto.String("Zq8xcity"), State: proto.String("Zq8xstate"), Country: proto.String("Zq8xland"), Postcode: proto.String("Zq8x-75001"),
		Status: proto.String("zq8xstatus"), Notes: proto.String("zq8xnote one zq8xnote two"),
		Uuid: "zq8xuuid", Aov: "zq8xaov", Photo: "https://zq8xphoto.example/zq8xhash", CountryName: "Zq8xcountry", UserLink: "zq8xlink", Etag: "zq8xetag",
		PurchaseValue: map[string]int64{"zq8xcurrency": 1},
	}
}

const sentJSON = `{"email":"zq8xmail@zq8xhost.example","full_name":"Zq8xfirst Zq8xlast","city":"Zq8xcity","state":"Zq8xstate","country":"Zq8xland","postcode":"Zq8x-75001","status":"zq8xstatus","notes":"zq8xnote one zq8xnote two"}`

// stored is what customer 1 is before a test begins.
func stored() *customerv1.Customer {
	return &customerv1.Customer{
		Email: proto.String("zq9smail@zq9shost.example"), FullName: proto.String("Zq9sfirst Zq9slast"),
		City: proto.String("Zq9scity"), State: proto.String("Zq9sstate"), Country: proto.String("Zq9sland"), Postcode: proto.String("Zq9s-75001"),
		Status: proto.String("zq9sstatus"), Notes: proto.String("zq9snote one zq9snote two"),
	}
}

// startWatched starts a gateway whose logs are kept, with the stored customer as customer 1.
func startWatched(t *testing.T, opts options) *gateway {
	t.Helper()
	opts.text, opts.traces = &lockedBuffer{}, true
	opts.config.SettleTime = or(opts.config.SettleTime, 20*time.Millisecond)
	g := start(t, opts)
	g.keep(stored())
	return g
}

// keep writes a customer to the store, past the gateway.
func (g *gateway) keep(customer *customerv1.Customer) {
	body, err := json.Marshal(map[string]any{
		"id": 1, "email": customer.GetEmail(), "full_name": customer.GetFullName(), "city": customer.GetCity(), "state": customer.GetState(),
		"country": customer.GetCountry(), "postcode": customer.GetPostcode(), "status": customer.GetStatus(), "notes": customer.GetNotes(),
	})
	if err != nil {
		panic(err)
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPut, "http://store.example/wp-json/fluent-cart/v2/customers/1", bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.SetBasicAuth(sandbox.AdminUsername, sandbox.AdminPassword)
	r.Header.Set("Content-Type", "application/json")
	g.store.ServeHTTP(discarded{http.Header{}}, r)
}

// discarded is a response that is not read.
type discarded struct{ header http.Header }

func (d discarded) Header() http.Header { return d.header }

func (d discarded) Write(p []byte) (int, error) { return len(p), nil }

func (d discarded) WriteHeader(int) {}

// sendAndCheck sends the requests, stops the gateway, and looks for canaries in the responses and in the log.
func (g *gateway) sendAndCheck(t *testing.T, requests []request) {
	t.Helper()
	for _, r := range requests {
		got := r.send(t.Context(), t, g)
		for _, leak := range leaks(got) {
			t.Errorf("%s (%s): the caller gets %s", r.name, or(r.method, "gRPC"), leak)
		}
		g.keep(stored())
	}
	g.stopNow(t)
	g.checkLogs(t)
}

// checkLogs looks for canaries in the log and in the spans, and for characters that would break a line.
func (g *gateway) checkLogs(t *testing.T) {
	t.Helper()
	g.spans.check(t)
	lines := strings.Split(strings.TrimSuffix(g.log.String(), "\n"), "\n")
	texts := strings.Split(strings.TrimSuffix(g.text.String(), "\n"), "\n")
	if len(lines) != len(texts) || len(lines) < 2 {
		t.Errorf("%d lines of JSON and %d of text", len(lines), len(texts))
	}
	for _, line := range lines {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil || object["msg"] == nil {
			t.Errorf("no JSON object: %v: %s", err, line)
		}
	}
	for _, line := range append(lines, texts...) {
		for _, leak := range leaks(line) {
			t.Errorf("the log has %s in %.300s", leak, line)
		}
		if strings.ContainsFunc(line, func(r rune) bool {
			return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar
		}) {
			t.Errorf("control characters in the log: %.300q", line)
		}
	}
}

// The check itself finds canaries: here the log gets what it must not get.
func TestCanariesAreFoundWhereTheyLeak(t *testing.T) {
	message := &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: sent()}
	encoded, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]any{
		"the request":             message,
		"its text":                fmt.Sprint(message),
		"a name in capitals":      "ZQ8XLAST",
		"%-encoded":               "%7aq8xmail%40host",
		"%-encoded altogether":    "%7A%71%38%78",
		"in base64":               base64.StdEncoding.EncodeToString([]byte("zq8xuser:zq8xpassword")),
		"the password":            sandbox.AdminPassword,
		"the store's credentials": http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(sandbox.AdminUsername+":"+sandbox.AdminPassword))}},
		"the encoded request":     encoded,
	} {
		for kind, handler := range map[string]func(io.Writer) slog.Handler{
			"JSON": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
			"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
		} {
			var log bytes.Buffer
			slog.New(handler(&log)).Info("call", slog.Any("got", got))
			if _, isBytes := got.([]byte); isBytes && kind == "JSON" {
				continue // in base64 a canary may begin at any bit
			}
			if len(leaks(log.String())) == 0 {
				t.Errorf("%s is not found in %s", name, log.String())
			}
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("call", slog.Any("request", redact.Shape(message)))
	if found := leaks(log.String()); len(found) > 0 {
		t.Errorf("found where there is nothing: %v", found)
	}
}
