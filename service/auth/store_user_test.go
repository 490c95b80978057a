package auth_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

func basic(credential string) []string {
	return []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(credential))}
}

func TestStoreAccountIsReadFromBasicCredentials(t *testing.T) {
	users := auth.NewStoreUsers(auth.Permissions{Status: true})
	for _, row := range []struct {
		name, credential, username, password string
	}{
		{"a user name and a password", "ann:abcd efgh", "ann", "abcd efgh"},
		{"a password with colons", "ann:a:b:", "ann", "a:b:"},
		{"letters outside ASCII", "äñn:pässwörd", "äñn", "pässwörd"},
	} {
		t.Run(row.name, func(t *testing.T) {
			caller, err := users.Authenticate(auth.Presented{Authorization: basic(row.credential)})
			if err != nil {
				t.Fatal(err)
			}
			if caller.Store.Username != row.username || caller.Store.Password.Reveal() != row.password || caller.Authenticated {
				t.Errorf("got %q, %q, authenticated %t", caller.Store.Username, caller.Store.Password.Reveal(), caller.Authenticated)
			}
		})
	}
	for name, authorization := range map[string][]string{
		"no header":       nil,
		"a token":         {"Bearer abc"},
		"no base64":       {"Basic ann:password"},
		"no colon":        basic("annpassword"),
		"no user":         basic(":password"),
		"no password":     basic("ann:"),
		"a line break":    basic("ann:pass\r\nX-Evil: 1"),
		"not UTF-8":       basic("ann:\xff\xfe"),
		"two headers":     append(basic("ann:a"), basic("ann:b")...),
		"2000 bytes":      basic("ann:" + strings.Repeat("x", 2000)),
		"a NUL":           basic("ann\x00:x"),
		"base64 for URLs": {"Basic " + base64.URLEncoding.EncodeToString([]byte("ann:\u00ff\u00ff>>>???"))},
	} {
		t.Run("refused: "+name, func(t *testing.T) {
			if got := outcome(users.Authenticate(auth.Presented{Authorization: authorization})); got != "unknown" {
				t.Errorf("the decision is %s", got)
			}
		})
	}
}

func TestUserNameThatMayBePersonalDataIsNotLogged(t *testing.T) {
	users := auth.NewStoreUsers(auth.Permissions{})
	present := func(username string) *auth.Caller {
		caller, err := users.Authenticate(auth.Presented{Authorization: basic(username + ":x")})
		if err != nil {
			t.Fatal(err)
		}
		return caller
	}
	name := func(username string) string { return present(username).Name }
	if got := name("ann.smith"); !strings.HasPrefix(got, "user-") {
		t.Errorf("an unverified user name is logged as %q", got)
	}
	present("ann.smith").Store.MarkVerified()
	if got := name("ann.smith"); got != "ann.smith" {
		t.Errorf("a verified user name is logged as %q", got)
	}
	present("ann@example.com").Store.MarkVerified()
	mail := name("ann@example.com")
	if strings.Contains(mail, "ann") || strings.Contains(mail, "example") {
		t.Errorf("an e-mail address is logged as %q", mail)
	}
	if mail != name("ann@example.com") || mail == name("bob@example.com") {
		t.Error("the pseudonym must be stable for one user and differ between users")
	}
}

func TestAccountStaysVerifiedForFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		users := auth.NewStoreUsers(auth.Permissions{})
		account := func(credential string) *auth.Account {
			caller, err := users.Authenticate(auth.Presented{Authorization: basic(credential)})
			if err != nil {
				t.Fatal(err)
			}
			return caller.Store
		}
		account("ann:right").MarkVerified()
		if !account("ann:right").Verified() {
			t.Error("the account is not verified")
		}
		for _, other := range []string{"ann:wrong", "bob:right", "an:nright"} {
			if account(other).Verified() {
				t.Errorf("%s is verified, too", other)
			}
		}
		<-time.After(6 * time.Minute)
		if account("ann:right").Verified() {
			t.Error("the account is still verified after 6 minutes")
		}
	})
}
