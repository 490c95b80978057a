package auth_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

func lineOf(name, token, permissions string) string {
	return strings.TrimSpace(fmt.Sprintf("%s sha256:%x %s", name, sha256.Sum256([]byte(token)), permissions))
}

// outcome describes a decision: the caller and its permissions, or unknown (not authenticated), or forbidden (not
// authorized).
func outcome(caller *auth.Caller, err error) string {
	var refused *auth.RefusedError
	switch {
	case err == nil:
		return fmt.Sprintf("%s may %s", caller.Name, caller.May)
	case errors.As(err, &refused) && refused.Authenticated:
		return "forbidden"
	case errors.As(err, &refused):
		return "unknown"
	}
	return fmt.Sprintf("unexpected %v", err)
}

func TestTokenIdentifiesTheCaller(t *testing.T) {
	tokens, err := auth.ParseTokens([]byte(strings.Join([]string{
		"# callers", "", lineOf("orders", "first", ""), lineOf("crm", "second", "user_id"),
		"\t" + lineOf("reports", "third", "-") + "\r", lineOf("crm", "fourth", "user_id"), lineOf("all", "fifth", "user_id,status"),
		lineOf("reports", "sixth", ""), lineOf("late", "seventh", ""), lineOf("late", "eighth", "-"),
	}, "\n")), auth.Permissions{Status: true})
	if err != nil {
		t.Fatal(err)
	}
	bearers := auth.Bearers{Tokens: func() *auth.Tokens { return tokens }}
	for _, row := range []struct {
		name          string
		authorization []string
		want          string
	}{
		{"a token", []string{"Bearer first"}, "orders may status"},
		{"a token with permissions", []string{"Bearer second"}, "crm may user_id"},
		{"a second token of the same caller", []string{"Bearer fourth"}, "crm may user_id"},
		{"a token that permits neither field", []string{"Bearer third"}, "reports may -"},
		{"a token that permits both fields", []string{"Bearer fifth"}, "all may status,user_id"},
		{"the scheme in lower case", []string{"bearer first"}, "orders may status"},
		{"more spaces around the token", []string{"Bearer   first "}, "orders may status"},
		{"a token whose permissions are in an earlier line of its caller", []string{"Bearer sixth"}, "reports may -"},
		{"a token whose permissions are in a later line of its caller", []string{"Bearer seventh"}, "late may -"},
		{"no header", nil, "unknown"},
		{"an empty header", []string{""}, "unknown"},
		{"a scheme without a token", []string{"Bearer"}, "unknown"},
		{"no scheme", []string{"first"}, "unknown"},
		{"another scheme", []string{"Basic first"}, "unknown"},
		{"a wrong token", []string{"Bearer wrong"}, "unknown"},
		{"the hash instead of the token", []string{strings.Replace(lineOf("", "first", ""), "sha256:", "Bearer ", 1)}, "unknown"},
		{"a part of a token", []string{"Bearer firs"}, "unknown"},
		{"two tokens in one header", []string{"Bearer first second"}, "unknown"},
		{"a valid and an invalid token", []string{"Bearer first", "Bearer wrong"}, "unknown"},
		{"the same token twice", []string{"Bearer first", "Bearer first"}, "unknown"},
		{"a token of 64 KiB", []string{"Bearer " + strings.Repeat("x", 1<<16)}, "unknown"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, outcome(bearers.Authenticate(auth.Presented{Authorization: row.authorization}))); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFaultsOfATokenFileAreReportedByLine(t *testing.T) {
	const plain = "fcgw_a-token-that-does-not-belong-here"
	for name, row := range map[string]struct {
		content string
		want    []string
	}{
		"a token in plain": {"orders " + plain, []string{"line 1: the second column must be sha256: and 64 hexadecimal digits"}},
		"a token alone":    {plain, []string{"line 1: must be a name, sha256:"}},
		"a bad name":       {lineOf("orders/eu", "x", ""), []string{"line 1: the name of a caller must be 1 to 64 letters"}},
		"a hash cut short": {lineOf("orders", "x", "")[:40], []string{"line 1: the second column"}},
		"unknown fields":   {lineOf("orders", "x", "email"), []string{"line 1: what a caller may change must be status, user_id"}},
		"a field twice":    {lineOf("orders", "x", "status,status"), []string{"line 1: what a caller may change"}},
		"too many columns": {lineOf("orders", "x", "status user_id"), []string{"line 1: must be a name"}},
		"a shared token":   {lineOf("a", "x", "") + "\n" + lineOf("b", "x", ""), []string{"line 2: has the token of line 1"}},
		"two permissions":  {lineOf("a", "x", "-") + "\n\n" + lineOf("a", "y", "status"), []string{"line 3: lets a change other fields than line 1 does"}},
		"several faults":   {"a\nb\n" + lineOf("c", "x", ""), []string{"line 1: must be", "; line 2: must be"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := auth.ParseTokens([]byte(row.content), auth.Permissions{})
			if err == nil {
				t.Fatal("the file was accepted")
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), plain) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error repeats what may be a token, or has two lines: %v", err)
			}
		})
	}
}

// An operator who removes the last line of the file revokes the last token.
func TestTokenFileWithoutTokensAuthenticatesNoCaller(t *testing.T) {
	for _, content := range []string{"", "\n", "# " + lineOf("orders", "first", "")} {
		tokens, err := auth.ParseTokens([]byte(content), auth.Permissions{})
		if err != nil || tokens.Len() != 0 {
			t.Fatalf("%q: %d tokens, %v", content, tokens.Len(), err)
		}
		bearers := auth.Bearers{Tokens: func() *auth.Tokens { return tokens }}
		if got := outcome(bearers.Authenticate(auth.Presented{Authorization: []string{"Bearer first"}})); got != "unknown" {
			t.Errorf("%q: the decision is %s", content, got)
		}
	}
}

func TestNewTokenIsAuthenticatedByItsLine(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		token, line, err := auth.NewToken("orders", &auth.Permissions{UserID: true})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, token.Reveal()) || seen[token.Reveal()] || len(token.Reveal()) < 43 {
			t.Fatalf("the line %q holds the token, or the token is short or not unique", line)
		}
		seen[token.Reveal()] = true
		tokens, err := auth.ParseTokens([]byte(line), auth.Permissions{})
		if err != nil {
			t.Fatal(err)
		}
		bearers := auth.Bearers{Tokens: func() *auth.Tokens { return tokens }}
		presented := auth.Presented{Authorization: []string{"Bearer " + token.Reveal()}}
		if got := outcome(bearers.Authenticate(presented)); got != "orders may user_id" {
			t.Errorf("the decision is %s", got)
		}
	}
	if _, _, err := auth.NewToken("or ders", nil); err == nil {
		t.Error("a name with a space was accepted")
	}
}
