package interceptor

import (
	"encoding/base64"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

// An unverified account shares the connections of its host, so that nobody takes another's share with its user name.
func TestConnectionsCountTowardsVerifiedNames(t *testing.T) {
	users := auth.NewStoreUsers(auth.Permissions{})
	account := func(name string) *auth.Caller {
		caller, err := users.Authenticate(auth.Presented{Authorization: []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(name+":secret"))}})
		if err != nil {
			t.Fatal(err)
		}
		return caller
	}
	verified := account("shop")
	verified.Store.MarkVerified()
	for _, row := range []struct {
		name    string
		caller  *auth.Caller
		share   string
		limited bool
	}{
		{"a caller with a token or a certificate", &auth.Caller{Name: "orders", Authenticated: true}, "orders", true},
		{"a verified store account", verified, verified.Name, true},
		{"an unverified store account", account("other"), "", true},
		{"a caller without a name, where everybody may call", &auth.Caller{}, "", false},
		{"no caller", nil, "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if share, limited := (*connectionCaller)(row.caller).ConnectionShare(); share != row.share || limited != row.limited {
				t.Errorf("share %q, limited %v; want %q, %v", share, limited, row.share, row.limited)
			}
		})
	}
}
