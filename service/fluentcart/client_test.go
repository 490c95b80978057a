package fluentcart_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

func TestRequestsHaveThePathHeadersAndBodyOfTheAPI(t *testing.T) {
	type request struct {
		Method, Target string
		Header         http.Header
		Body           string
	}
	var got []request
	client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Header.Del("Accept-Encoding") // net/http's own
		target, _, _ := strings.Cut(r.RequestURI, "&_fcg=")
		got = append(got, request{r.Method, target, r.Header, string(body)})
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
	_, err := client.PutCustomer(t.Context(), fluentcart.Update{
		City: fluentcart.Send(&city), State: fluentcart.Send[string](nil), UserID: fluentcart.Send(&user),
	}, fluentcart.Customer{ID: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	common := http.Header{"Accept": {"application/json"}, "Authorization": {"Basic Z2F0ZXdheTpwYXNzIHdvcmQ="}, "User-Agent": {"tests/1"}}
	get, put := common.Clone(), common.Clone()
	get.Set("Cache-Control", "no-cache")
	get.Set("Pragma", "no-cache")
	put.Set("Content-Type", "application/json")
	body := `{"id":1,"city":"Lyon <&>","state":null,"user_id":2}`
	put.Set("Content-Length", strconv.Itoa(len(body)))
	wanted := []request{
		{"GET", "/shop/wp-json/fluent-cart/v2/customers/1?params%5Bcustomer_only%5D=yes", get, ""},
		{"PUT", "/shop/wp-json/fluent-cart/v2/customers/1", put, body},
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// The text of a client or of an error holds neither the credentials nor the body of a response.
func TestErrorsAndClientsPrintNoSecretsAndNoBodies(t *testing.T) {
	for name, body := range map[string]string{
		"a page":              `<html>body-canary</html>`,
		"a WordPress error":   `{"code":"wp_die","message":"body-canary <b>x</b>","data":{"status":500}}`,
		"a refusal":           `{"code":400,"message":"body-canary","data":null}`,
		"a rule":              `{"email":{"exist":"body-canary"}}`,
		"another customer":    `{"data":{"id":2,"email":"body-canary@example.com"}}`,
		"a column of no type": `{"data":{"id":1,"email":"e@example.com","city":{"body-canary":1}}}`,
	} {
		for _, status := range []int{200, 422, 500} {
			client := newClient(t, respond(status, body))
			_, err := client.PutCustomer(t.Context(), fluentcart.Update{}, fluentcart.Customer{ID: 1}, nil)
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
