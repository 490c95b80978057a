package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

// token runs the command, and returns its exit code and what it printed.
func token(t *testing.T, args ...string) (code int, printed string) {
	t.Helper()
	var out strings.Builder
	code = run(t.Context(), append([]string{"token"}, args...), &out, &out)
	return code, out.String()
}

func TestTokenCommandFillsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	var given []string
	for _, args := range [][]string{{"orders"}, {"orders"}, {"--may=-", "reports"}, {"--may=user_id,status", "crm"}} {
		code, printed := token(t, append(args, "--token-file="+path)...)
		if code != exitOK || strings.Count(printed, "\n") != 1 || !strings.HasPrefix(printed, "fcgw_") {
			t.Fatalf("%v: exit code %d, printed %q", args, code, printed)
		}
		given = append(given, strings.TrimSpace(printed))
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	if len(lines) != 4 || !strings.HasSuffix(lines[2], " -") || !strings.HasSuffix(lines[3], " status,user_id") || strings.Count(lines[0], " ") != 1 {
		t.Errorf("the file has:\n%s", content)
	}
	for _, secret := range given {
		if strings.Contains(string(content), secret) {
			t.Errorf("the file holds a token:\n%s", content)
		}
	}
}

func TestTokenCommandAddsToAFileWithoutALastLineBreak(t *testing.T) {
	path := writeFile(t, "tokens", "# mine")
	if code, printed := token(t, "--token-file="+path, "orders"); code != exitOK {
		t.Fatal(printed)
	}
	if content, _ := os.ReadFile(path); !strings.HasPrefix(string(content), "# mine\norders sha256:") {
		t.Errorf("the file has:\n%s", content)
	}
}

func TestTokenCommandWithoutAFilePrintsBoth(t *testing.T) {
	code, printed := token(t, "orders")
	if code != exitOK || !strings.Contains(printed, "token  fcgw_") || !strings.Contains(printed, "line   orders sha256:") {
		t.Errorf("exit code %d, printed:\n%s", code, printed)
	}
}

func TestTokenCommandThatFailsChangesNothing(t *testing.T) {
	bad, other := writeFile(t, "bad", "orders\n"), writeFile(t, "other", "")
	if code, printed := token(t, "--token-file="+other, "--may=status", "orders"); code != exitOK {
		t.Fatal(printed)
	}
	for _, row := range []struct {
		args []string
		says string
	}{
		{[]string{"--token-file=" + bad, "crm"}, "line 1: must be a name"},
		{[]string{"--token-file=" + other, "--may=-", "orders"}, "lets orders change other fields than line 1 does"},
		{[]string{"--token-file=" + other, "--may=email", "crm"}, "--may=email: what a caller may change must be status, user_id"},
		{[]string{"--token-file=" + other, "or ders"}, "the name of a caller must be 1 to 64 letters"},
		{[]string{"--token-file=" + filepath.Join(other, "x"), "crm"}, "not a directory"},
		{nil, `expected "<name>"`},
	} {
		code, printed := token(t, row.args...)
		if code == exitOK || !strings.Contains(printed, row.says) || strings.Contains(printed, "fcgw_") {
			t.Errorf("%v: exit code %d, printed %q, want %q", row.args, code, printed, row.says)
		}
	}
	if content, _ := os.ReadFile(bad); string(content) != "orders\n" {
		t.Errorf("the file that was wrong became:\n%s", content)
	}
	if content, _ := os.ReadFile(other); strings.Count(string(content), "\n") != 1 {
		t.Errorf("the file that was right became:\n%s", content)
	}
}

// The gateway accepts a file that the command has filled, whatever its default permissions are.
func TestGatewayAcceptsAFileOfTheTokenCommand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	for _, args := range [][]string{{"--may=-", "reports"}, {"reports"}, {"orders"}, {"--may=status", "orders"}} {
		if code, printed := token(t, append(args, "--token-file="+path)...); code != exitOK {
			t.Fatalf("%v: %s", args, printed)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, defaults := range []auth.Permissions{{Status: true}, {Status: true, UserID: true}, {}} {
		if tokens, err := auth.ParseTokens(content, defaults); err != nil || tokens.Len() != 4 {
			t.Errorf("default permissions %s: %v", defaults, err)
		}
	}
}
