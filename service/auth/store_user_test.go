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

func TestAccountsOfTheStoreAreTakenApart(t *testing.T) {
	users := auth.NewStoreUsers(auth.Permissions{Status: true})
	for _, row := range []struct {
		name, credential, username, password string
	}{
		{"an ordinary one", "ann:abcd efgh", "ann", "abcd efgh"},
		{"a password with colons", "ann:a:b:", "ann", "a:b:"},
		{"letters of other scripts", "äñn:pässwörd", "äñn", "pässwörd"},
	} {
		t.Run(row.name, func(t *testing.T) {
			who, err := users.Authenticate(auth.Presented{Authorization: basic(row.credential)})
			if err != nil {
				t.Fatal(err)
			}
			if who.Store.Username != row.username || who.Store.Password.Reveal() != row.password || who.Authenticated {
				t.Errorf("got %q, %q, proved %t", who.Store.Username, who.Store.Password.Reveal(), who.Authenticated)
			}
		})
	}
	for name, authorization := range map[string][]string{
		"none":                 nil,
		"a token":              {"Bearer abc"},
		"no base64":            {"Basic ann:password"},
		"no colon":             basic("annpassword"),
		"no user":              basic(":password"),
		"no password":          basic("ann:"),
		"a line break":         basic("ann:pass\r\nX-Evil: 1"),
		"not UTF-8":            basic("ann:\xff\xfe"),
		"two":                  append(basic("ann:a"), basic("ann:b")...),
		"longer than any":      basic("ann:" + strings.Repeat("x", 2000)),
		"a NUL":                basic("ann\x00:x"),
		"the URL's own base64": {"Basic " + base64.URLEncoding.EncodeToString([]byte("ann:\u00ff\u00ff>>>???"))},
	} {
		t.Run("refused: "+name, func(t *testing.T) {
			if got := outcome(users.Authenticate(auth.Presented{Authorization: authorization})); got != "unknown" {
				t.Errorf("the decision is %s", got)
			}
		})
	}
}

func TestUserNameThatIsPersonalDataIsNotTheNameInTheLog(t *testing.T) {
	users := auth.NewStoreUsers(auth.Permissions{})
	present := func(username string) *auth.Caller {
		who, err := users.Authenticate(auth.Presented{Authorization: basic(username + ":x")})
		if err != nil {
			t.Fatal(err)
		}
		return who
	}
	name := func(username string) string { return present(username).Name }
	if got := name("ann.smith"); !strings.HasPrefix(got, "user-") {
		t.Errorf("a user name that the store has not agreed to became %q", got)
	}
	present("ann.smith").Store.MarkVerified()
	if got := name("ann.smith"); got != "ann.smith" {
		t.Errorf("a user name became %q", got)
	}
	present("ann@example.com").Store.MarkVerified()
	mail := name("ann@example.com")
	if strings.Contains(mail, "ann") || strings.Contains(mail, "example") {
		t.Errorf("an e-mail address became %q", mail)
	}
	if mail != name("ann@example.com") || mail == name("bob@example.com") {
		t.Error("the name must be the same for one user, and another for another")
	}
}

func TestAgreementIsAboutOneAccountAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		users := auth.NewStoreUsers(auth.Permissions{})
		account := func(credential string) *auth.Account {
			who, err := users.Authenticate(auth.Presented{Authorization: basic(credential)})
			if err != nil {
				t.Fatal(err)
			}
			return who.Store
		}
		account("ann:right").MarkVerified()
		if !account("ann:right").Verified() {
			t.Error("it is forgotten")
		}
		for _, other := range []string{"ann:wrong", "bob:right", "an:nright"} {
			if account(other).Verified() {
				t.Errorf("it is about %s too", other)
			}
		}
		<-time.After(6 * time.Minute)
		if account("ann:right").Verified() {
			t.Error("it is remembered for ever")
		}
	})
}
