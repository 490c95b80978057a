package companion

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/tools/gatewaytest"
)

// gateway is the binary in front of a store.
type gateway struct {
	gatewaytest.Gateway
}

// startGateway runs a gateway in front of the store at the address, in write mode auto.
func startGateway(t testing.TB, s *Store, address string, flags ...string) gateway {
	t.Helper()
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(s.Password), 0o600); err != nil {
		t.Fatal(err)
	}
	flags = append([]string{"--store-url=" + address, "--store-username=" + s.Username, "--store-password-file=" + password}, flags...)
	return gateway{gatewaytest.Start(t, gatewaytest.Build(t), flags...)}
}

// reply is what a caller of the gateway gets.
type reply struct {
	Message string
	Data    map[string]any
	Changed []string         `json:"changed_fields"`
	Warning []map[string]any `json:"warnings"`
	Details []struct {
		Reason   string
		Metadata map[string]string
	}

	status int
	etag   string
}

// reason returns the reason of an error, or an empty text.
func (o reply) reason() string {
	if len(o.Details) == 0 {
		return ""
	}
	return o.Details[0].Reason
}

func (o reply) writeState() string {
	if len(o.Details) == 0 {
		return ""
	}
	return o.Details[0].Metadata["write_state"]
}

func (g gateway) update(t testing.TB, path string, change fields, header http.Header) reply {
	t.Helper()
	content, _ := json.Marshal(change)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, g.URL+"/v1/customers/"+path, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err = io.ReadAll(response.Body)
	var o reply
	if err != nil || json.Unmarshal(content, &o) != nil {
		t.Fatalf("%v: %s", err, content)
	}
	o.status, o.etag = response.StatusCode, response.Header.Get("ETag")
	return o
}

// requests returns how many requests of a method the gateway has sent to the store.
func (g gateway) requests(t testing.TB, method string) (sum int) {
	t.Helper()
	response, err := http.Get(g.Admin + "/metrics") //nolint:noctx // of this machine
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`(?m)^fluentcart_gateway_store_requests_total\{method="`+method+`",outcome="[^"]*"\} (\d+)$`).FindAllStringSubmatch(string(content), -1) {
		var n int
		_, _ = fmt.Sscan(found[1], &n)
		sum += n
	}
	return sum
}

// The gateway finds the companion of a real WordPress, and each update is one request. Its outcomes are those that a gateway in write
// mode merge gives.
func TestGatewayInFrontOfWordPress(t *testing.T) {
	s := StartWordPress(t, Plugin)
	atomic, merge := startGateway(t, s, s.URL), startGateway(t, s, s.URL, "--write-mode=merge")
	linked := s.sql(t, "SELECT id FROM wp_fct_customers WHERE user_id > 0 ORDER BY id LIMIT 1")
	for _, row := range []struct {
		name   string
		path   string
		change fields
		status int
		reason string
	}{
		{"a city", "1", fields{"city": "Lyon"}, 200, ""},
		{"nothing to change", "1", fields{"city": "Lyon"}, 200, ""},
		{"all texts, with what the store sanitizes", "1", fields{"notes": "a\tb <b>c</b> ü", "state": " x ", "postcode": "01067", "country": "DE"}, 200, ""},
		{"a cleared field", "1", fields{"state": nil}, 200, ""},
		{"a dry run", "1?validate_only=true", fields{"city": "Nice"}, 200, ""},
		{"an e-mail address that is in use", "1", fields{"email": "bob@example.com"}, 409, "EMAIL_TAKEN"},
		{"a city with markup", "1", fields{"city": "<b>Lyon"}, 400, "STORE_VALIDATION"},
		{"a city that is too long", "1", fields{"city": strings.Repeat("x", 46)}, 400, "INVALID_FIELD"},
		{"a customer that does not exist", "99999", fields{"city": "Lyon"}, 404, "CUSTOMER_NOT_FOUND"},
		{"the link to an account", "1", fields{"user_id": 1}, 403, "USER_LINK_CHANGE_FORBIDDEN"},
		{"the e-mail address of a linked customer", *linked[0]["id"], fields{"email": "other@example.com"}, 400, "EMAIL_OWNED_BY_WORDPRESS_USER"},
		{"a linked customer", *linked[0]["id"], fields{"city": "Rome"}, 200, ""},
		{"another etag", "1?etag=xyz", fields{"city": "Metz"}, 412, "ETAG_MISMATCH"},
	} {
		before := s.sql(t, "SELECT * FROM wp_fct_customers ORDER BY id")
		posts := atomic.requests(t, http.MethodPost)
		got := atomic.update(t, row.path, row.change, nil)
		if got.status != row.status || got.reason() != row.reason {
			t.Errorf("%s: got %d %s: %s, want %d %s", row.name, got.status, got.reason(), got.Message, row.status, row.reason)
		}
		if sent := atomic.requests(t, http.MethodPost) - posts; sent > 1 {
			t.Errorf("%s: the gateway sent %d requests to the companion", row.name, sent)
		}
		s.restore(t, before)
		want := merge.update(t, row.path, row.change, nil)
		if want.status != got.status || want.reason() != got.reason() || !slices.Equal(want.Changed, got.Changed) || fmt.Sprint(want.Warning) != fmt.Sprint(got.Warning) || !sameCustomer(want.Data, got.Data) {
			t.Errorf("%s: write mode atomic answers\n%+v\nand write mode merge\n%+v", row.name, got, want)
		}
	}
	if atomic.requests(t, http.MethodPut) != 0 || merge.requests(t, http.MethodPost) != 0 {
		t.Error("a gateway has updated in the other way")
	}
}

// restore writes the rows back, past WordPress.
func (s *Store) restore(t testing.TB, rows []map[string]*string) {
	t.Helper()
	for _, row := range rows {
		var columns []string
		for name, value := range row {
			if name == "id" {
				continue
			}
			text := "NULL"
			if value != nil {
				text = fmt.Sprintf("X'%x'", *value)
			}
			columns = append(columns, fmt.Sprintf("`%s` = %s", name, text))
		}
		s.sql(t, "UPDATE wp_fct_customers SET %s WHERE id = %s", strings.Join(columns, ", "), *row["id"])
	}
}

// sameCustomer compares two customers without the time of the last change, and without the etag, which depends on it.
func sameCustomer(a, b map[string]any) bool {
	for _, c := range []map[string]any{a, b} {
		delete(c, "updated_at")
		delete(c, "etag")
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}

// The etag of a read is checked in the transaction, by one request.
func TestEtagIsCheckedByTheCompanion(t *testing.T) {
	s := StartWordPress(t, MustUse)
	g := startGateway(t, s, s.URL)
	first := g.update(t, "1", fields{"city": "Lyon"}, nil)
	posts := g.requests(t, http.MethodPost)
	second := g.update(t, "1", fields{"city": "Nice"}, http.Header{"If-Match": {first.etag}})
	if second.status != http.StatusOK || g.requests(t, http.MethodPost)-posts != 1 {
		t.Errorf("the update with the etag got %d %s, by %d requests", second.status, second.Message, g.requests(t, http.MethodPost)-posts)
	}
	if third := g.update(t, "1", fields{"city": "Metz"}, http.Header{"If-Match": {first.etag}}); third.reason() != "ETAG_MISMATCH" {
		t.Errorf("the update with the old etag got %d %s", third.status, third.Message)
	}
	if names := g.update(t, "1", fields{"last_name": "de Groot"}, nil); names.Data["last_name"] != "de Groot" || len(names.Warning) != 0 {
		t.Errorf("the names are %v, with %v", names.Data, names.Warning)
	}
}

// Half of the answers are lost on their way. Each outcome is exact, and a request_id is applied once.
func TestLostAnswersOfWordPress(t *testing.T) {
	s := StartWordPress(t, Plugin)
	g := startGateway(t, s, startLosingProxy(t, s.URL), "--max-in-flight=8")
	const calls = 60
	written := make([]bool, calls)
	var callers sync.WaitGroup
	for i := range calls {
		callers.Go(func() {
			id := newID()
			note := fmt.Sprintf("note %d", i)
			for range 2 { // the second call repeats the first
				got := g.update(t, "1?request_id="+id, fields{"notes": note}, nil)
				switch {
				case got.status == http.StatusOK:
					written[i] = true
				case got.writeState() != "rejected" && got.writeState() != "not_sent":
					t.Errorf("call %d got %d %s %s", i, got.status, got.reason(), got.writeState())
				}
			}
		})
	}
	callers.Wait()
	applied := s.sql(t, "SELECT request_key, COUNT(*) AS times FROM wp_fluentcart_gateway_requests WHERE state = 'applied' GROUP BY request_key")
	claimed := 0
	for _, is := range written {
		if is {
			claimed++
		}
	}
	if len(applied) != claimed || claimed < calls/2 {
		t.Errorf("%d updates were applied, and %d of %d callers got OK", len(applied), claimed, calls)
	}
	if g.requests(t, http.MethodDelete) == 0 {
		t.Error("no answer was lost")
	}
}

// startLosingProxy runs a proxy in front of the store that loses each second request to the companion's POST: alternately before the
// store gets it, and after the store has answered it.
func startLosingProxy(t testing.TB, address string) string {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	var posts atomic.Int64
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	proxy := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			switch posts.Add(1) % 4 {
			case 0:
				panic(http.ErrAbortHandler)
			case 2:
				forward.ServeHTTP(discarded{http.Header{}}, r)
				panic(http.ErrAbortHandler)
			}
		}
		forward.ServeHTTP(w, r)
	})}
	t.Cleanup(func() { _ = proxy.Close() })
	go func() { _ = proxy.Serve(listener) }()
	return "http://" + listener.Addr().String()
}

// discarded is a response that nobody gets.
type discarded struct{ header http.Header }

func (d discarded) Header() http.Header               { return d.header }
func (d discarded) Write(content []byte) (int, error) { return len(content), nil }
func (d discarded) WriteHeader(int)                   {}
