package config

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPasswordsAreFreedOfWhatSurroundsThem(t *testing.T) {
	for _, row := range []struct{ name, content, password, fault string }{
		{"a line", "secret\n", "secret", ""},
		{"a line of Windows", "secret\r\n", "secret", ""},
		{"spaces and tabs around it", " \tsecret\t \n", "secret", ""},
		{"a byte order mark", "\ufeffsecret\n", "secret", ""},
		{"a byte order mark in the middle of the space around it", " \ufeff secret", "secret", ""},
		{"no-break spaces around it", "\u00a0secret\u202f", "secret", ""},
		{"zero-width characters around it", "\u200bsecret\u200d\u2060", "secret", ""},
		{"a right-to-left mark behind it", "secret\u200f\n", "secret", ""},
		{"the end of file of DOS", "secret\r\n\x1a", "secret", ""},
		{"empty lines around it", "\n\nsecret\n\n", "secret", ""},
		{"the spaces of an application password", "sec ret sec ret\n", "sec ret sec ret", ""},
		{"other letters", "sécret", "sécret", ""},
		{"nothing", "", "", "is empty"},
		{"only what is removed", "\ufeff\r\n \u200b", "", "is empty"},
		{"two lines", "secret\nsecret", "", "has more than one line"},
		{"two lines of an old Macintosh", "secret\rsecret", "", "has more than one line"},
		{"a no-break space inside", "sec\u00a0ret", "", "has an invisible character (U+00A0)"},
		{"a zero-width space inside", "sec\u200bret", "", "has an invisible character (U+200B)"},
		{"a soft hyphen inside", "sec\u00adret", "", "has an invisible character (U+00AD)"},
		{"a tab inside", "sec\tret", "", "has an invisible character (U+0009)"},
		{"a null byte inside", "sec\x00ret", "", "has an invisible character (U+0000)"},
		{"Latin-1", "s\xe9cret", "", "is not UTF-8 text"},
		{"UTF-16", "\xff\xfes\x00e\x00c\x00", "", "is UTF-16 text"},
		{"UTF-16 without a byte order mark", "s\x00e\x00c\x00r\x00", "", "is UTF-16 text"},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "password")
			write(t, path, row.content)
			for _, flag := range []string{"--store-password-file", "--redis-password-file"} {
				loaded, err := Load(parse(t, "--store-url=https://shop.example.com", "--store-username=me", "--redis-url=redis://host", "--store-password-file="+path, "--redis-password-file="+path), slog.New(slog.DiscardHandler))
				if row.fault != "" {
					if err == nil || !strings.Contains(err.Error(), flag+"="+path+": "+row.fault) || strings.Contains(err.Error(), "sec") {
						t.Errorf("faults %v, want %s", err, row.fault)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := loaded.StorePassword.Get().Reveal(); got != row.password {
					t.Errorf("the store's password is %q", got)
				}
				if got := loaded.RedisPassword.Get().Reveal(); got != row.password {
					t.Errorf("the password of Redis is %q", got)
				}
			}
		})
	}
}

func TestUnusablePasswordLeavesTheEarlierOneInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	write(t, path, "first\n")
	loaded, err := Load(parse(t, "--store-url=https://shop.example.com", "--store-username=me", "--store-password-file="+path), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, unusable := range []string{"", "\r\n", "se\u200bcond", "\xff\xfes\x00e\x00", "second\nsecond"} {
		write(t, path, unusable)
		if loaded.StorePassword.Reload() || loaded.StorePassword.Get().Reveal() != "first" {
			t.Errorf("%q is in use", unusable)
		}
	}
	write(t, path, "\ufeffsecond\r\n")
	if !loaded.StorePassword.Reload() || loaded.StorePassword.Get().Reveal() != "second" {
		t.Errorf("the new password is not in use")
	}
}

func TestUserNamesWithInvisibleCharactersAreRefused(t *testing.T) {
	for _, row := range []struct{ name, username, fault string }{
		{"a usual name", "gateway", ""},
		{"a name of two words", "the gateway", ""},
		{"an e-mail address", "gateway@shop.example.com", ""},
		{"a line end", "gw\n", "has a space or a line end before or after it"},
		{"a line end of Windows", "gw\r", "has a space or a line end before or after it"},
		{"a space in front", " gw", "has a space or a line end before or after it"},
		{"a no-break space behind", "gw\u00a0", "has a space or a line end before or after it"},
		{"a byte order mark", "\ufeffgw", "has an invisible character (U+FEFF)"},
		{"a zero-width space inside", "g\u200bw", "has an invisible character (U+200B)"},
		{"a line end inside", "g\nw", "has an invisible character (U+000A)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := parse(t, "--store-url=https://shop.example.com", "--store-username="+row.username, "--store-password-file=x").Validate()
			if row.fault == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			checkFaults(t, err, []string{"--store-username " + row.fault})
		})
	}
}

// A byte order mark in front of the first line hides neither a token nor a certificate's first line.
func TestTokenFilesMayHaveAByteOrderMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	line := "orders sha256:" + strings.Repeat("0", 64)
	for _, row := range []struct{ name, content, fault string }{
		{"a byte order mark", "\ufeff" + line, ""},
		{"a byte order mark and lines of Windows", "\ufeff# callers\r\n" + line + "\r\n", ""},
		{"UTF-16", "\xff\xfeo\x00r\x00", "is UTF-16 text"},
	} {
		t.Run(row.name, func(t *testing.T) {
			write(t, path, row.content)
			_, err := Load(parse(t, "--sandbox", "--caller-auth=token", "--token-file="+path), slog.New(slog.DiscardHandler))
			switch {
			case row.fault == "" && err != nil:
				t.Error(err)
			case row.fault != "":
				checkFaults(t, err, []string{"--token-file=" + path + ": " + row.fault})
			}
		})
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
