package fluentcart_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// newClient returns a client of a store that handler plays, under a path of its own.
func newClient(t testing.TB, handler http.HandlerFunc) *fluentcart.Client {
	t.Helper()
	store := httptest.NewServer(handler)
	t.Cleanup(store.Close)
	return newClientOf(t, fluentcart.Config{BaseURL: store.URL + "/shop/"})
}

func newClientOf(t testing.TB, cfg fluentcart.Config) *fluentcart.Client {
	t.Helper()
	cfg.UserAgent = "tests/1"
	if cfg.Credentials == nil {
		cfg.Credentials = fluentcart.As("gateway", "pass word")
	}
	if cfg.GetTimeout == 0 {
		cfg.GetTimeout = time.Minute
	}
	if cfg.PutTimeout == 0 {
		cfg.PutTimeout = time.Minute
	}
	if cfg.Transport == nil {
		transport := fluentcart.NewTransport()
		t.Cleanup(transport.CloseIdleConnections)
		cfg.Transport = transport
	}
	client, err := fluentcart.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// answering plays a store that always says the same.
func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// works plays a store in which all goes well.
func works(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		_, _ = fmt.Fprintf(w, `{"customer":{%s}}`, annsColumns)
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = fmt.Fprintf(w, `{"message":"ok","data":{%s}}`, annsColumns)
}

func get(ctx context.Context, client *fluentcart.Client) error {
	_, err := client.GetCustomer(ctx, 1)
	return err
}

func put(ctx context.Context, client *fluentcart.Client, begin func() error) error {
	_, _, err := client.PutCustomer(ctx, fluentcart.Update{}, fluentcart.Customer{ID: 1}, begin)
	return err
}

// failure is the Error of a call that must fail.
func failure(t testing.TB, err error) *fluentcart.Error {
	t.Helper()
	var failed *fluentcart.Error
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want an Error", err)
	}
	return failed
}

const annsColumns = `"id":1,"user_id":null,"email":"ann@example.com","first_name":"Ann","last_name":"Lee","city":"Paris","state":"IDF","country":"FR","postcode":"75001","status":"active","notes":"","aov":"8300.00"`

func TestRequestsAreWhatTheStoreExpects(t *testing.T) {
	type request struct {
		Method, Target string
		Header         http.Header
		Body           string
	}
	var got []request
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Header.Del("Accept-Encoding") // net/http's own
		got = append(got, request{r.Method, r.RequestURI, r.Header, string(body)})
		if r.Method == http.MethodGet {
			_, _ = fmt.Fprintf(w, `{"customer":{%s}}`, annsColumns)
			return
		}
		_, _ = fmt.Fprintf(w, `{"message":"ok","data":{%s}}`, annsColumns)
	})
	if _, err := client.GetCustomer(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	city, user := "Lyon <&>", int64(2)
	_, _, err := client.PutCustomer(t.Context(), fluentcart.Update{
		City: fluentcart.Send(&city), State: fluentcart.Send[string](nil), UserID: fluentcart.Send(&user),
	}, fluentcart.Customer{ID: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	common := http.Header{"Accept": {"application/json"}, "Authorization": {"Basic Z2F0ZXdheTpwYXNzIHdvcmQ="}, "User-Agent": {"tests/1"}}
	put := common.Clone()
	put.Set("Content-Type", "application/json")
	body := `{"id":1,"city":"Lyon \u003c\u0026\u003e","state":null,"user_id":2}`
	put.Set("Content-Length", strconv.Itoa(len(body)))
	wanted := []request{
		{"GET", "/shop/wp-json/fluent-cart/v2/customers/1?params%5Bcustomer_only%5D=yes", common, ""},
		{"PUT", "/shop/wp-json/fluent-cart/v2/customers/1", put, body},
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestBaseURL(t *testing.T) {
	for _, row := range []struct{ name, url, want, fault string }{
		{"a site", "https://shop.example", "https://shop.example", ""},
		{"a site with a slash", "https://shop.example/", "https://shop.example", ""},
		{"a path in front", "https://shop.example/a/b//", "https://shop.example/a/b", ""},
		{"the address of the API", "https://shop.example/a/wp-json/fluent-cart/v2/", "https://shop.example/a", ""},
		{"the address of WordPress's API", "https://shop.example/wp-json/", "https://shop.example", ""},
		{"a port that is too high", "https://shop.example:99999", "", "has a port that is not a number from 1 to 65535"},
		{"a port", "http://127.0.0.1:8081", "http://127.0.0.1:8081", ""},
		{"no scheme", "shop.example", "", "must begin with https://"},
		{"another scheme", "ftp://shop.example", "", "must begin with https://"},
		{"no host", "https:///shop", "", "has no host"},
		{"credentials", "https://me:secret@shop.example", "", "must not hold a user name or password"},
		{"a query", "https://shop.example/?rest_route=/", "", "must not have a query"},
		{"a fragment", "https://shop.example/#x", "", "must not have a query or a fragment"},
		{"no URL", "https://secret shop\x7f", "", "not a URL"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := fluentcart.ParseBaseURL(row.url)
			switch {
			case row.fault == "":
				if err != nil || got.String() != row.want {
					t.Errorf("got %v, %v, want %s", got, err, row.want)
				}
			case err == nil || !strings.Contains(err.Error(), row.fault) || strings.Contains(err.Error(), "secret"):
				t.Errorf("got %v, want %q", err, row.fault)
			}
		})
	}
}

// Whatever is printed of a client or of an error, neither the credentials nor what the store said are in it.
func TestNothingSecretIsPrinted(t *testing.T) {
	for name, body := range map[string]string{
		"a page":              `<html>body-canary</html>`,
		"a WordPress error":   `{"code":"wp_die","message":"body-canary <b>x</b>","data":{"status":500}}`,
		"a refusal":           `{"code":400,"message":"body-canary","data":null}`,
		"a rule":              `{"email":{"exist":"body-canary"}}`,
		"another customer":    `{"data":{"id":2,"email":"body-canary@example.com"}}`,
		"a column of no type": `{"data":{"id":1,"email":"e@example.com","city":{"body-canary":1}}}`,
	} {
		for _, status := range []int{200, 422, 500} {
			client := newClient(t, answering(status, body))
			_, _, err := client.PutCustomer(t.Context(), fluentcart.Update{}, fluentcart.Customer{ID: 1}, nil)
			printed := fmt.Sprintf("%v %+v %s", failure(t, err), client, client)
			for _, canary := range []string{"body-canary", "pass word", "Z2F0ZXdheT", "127.0.0.1:0"} {
				if strings.Contains(printed, canary) {
					t.Errorf("%s, %d: %q is in %s", name, status, canary, printed)
				}
			}
		}
	}
	if _, err := json.Marshal(fluentcart.Update{}); err != nil {
		t.Error(err)
	}
}
