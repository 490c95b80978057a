package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAddressesThatAreNotOnThisMachineMustBeMeant(t *testing.T) {
	for _, row := range []struct {
		name   string
		target target
		want   string // part of the error; empty is none
	}{
		{"IPv4 loopback", target{addr: "127.0.0.1:9090"}, ""},
		{"all of 127/8", target{addr: "127.1.2.3:9090"}, ""},
		{"IPv6 loopback", target{addr: "[::1]:9090"}, ""},
		{"localhost", target{addr: "localhost:9090"}, ""},
		{"another machine", target{addr: "192.0.2.1:9090"}, "add both -allow-remote and -remote-host=192.0.2.1"},
		{"another machine over IPv6", target{addr: "[2001:db8::1]:9090"}, "add both -allow-remote and -remote-host=2001:db8::1"},
		{"all addresses of this machine", target{addr: "0.0.0.0:9090"}, "is not on this machine (0.0.0.0)"},
		{"another machine, meant", target{addr: "192.0.2.1:9090", allowRemote: true, remoteHost: "192.0.2.1"}, ""},
		{"another machine than that which is meant", target{addr: "192.0.2.1:9090", allowRemote: true, remoteHost: "192.0.2.2"}, "-remote-host=192.0.2.2 is not the host of -addr=192.0.2.1:9090"},
		{"another machine than the local one that is meant", target{addr: "192.0.2.1:9090", allowRemote: true, remoteHost: "localhost"}, "is not the host"},
		{"a port alone", target{addr: "9090"}, "must be host:port"},
		{"no host", target{addr: ":9090"}, "must be host:port"},
		{"a URL", target{addr: "http://127.0.0.1:9090"}, "must be host:port"},
		{"a name of gRPC", target{addr: "dns:///192.0.2.1:9090"}, "must be host:port"},
		{"an admin server here", target{addr: "127.0.0.1:1", admin: "http://127.0.0.1:9091"}, ""},
		{"an admin server elsewhere", target{addr: "127.0.0.1:1", admin: "http://192.0.2.1:9091"}, "-admin=http://192.0.2.1:9091: is not on this machine"},
		{"an admin server on the machine that is meant", target{addr: "192.0.2.1:1", admin: "http://192.0.2.1:9091", allowRemote: true, remoteHost: "192.0.2.1"}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := row.target.check(t.Context(), "7,9")
			switch {
			case row.want == "" && err != nil, row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
				t.Errorf("got %v, want %q", err, row.want)
			case strings.Contains(row.want, "add both") && !strings.Contains(err.Error(), "overwrites the notes of its customers 7,9"):
				t.Errorf("the error does not say what would be overwritten: %v", err)
			}
		})
	}
}

func TestTokenFileHasTheTokenItself(t *testing.T) {
	for content, want := range map[string]string{
		"secret-token\n":             "Bearer secret-token",
		"":                           "",
		"two words":                  "",
		"orders sha256:00ff status":  "",
		"sha256:0011223344556677889": "",
	} {
		file := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := (&target{tokenFile: file}).authorization()
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", content, got, err)
		}
		if err != nil && content != "" && strings.Contains(err.Error(), content) {
			t.Errorf("the error shows the content of the file: %v", err)
		}
	}
}

func TestFilesThatCannotBeUsedAreNamed(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, wrong := range map[string]target{
		"-cacert": {tls: true, cacert: empty},
		"-cert":   {tls: true, cert: empty, key: empty},
	} {
		if _, err := wrong.tlsConfig(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
