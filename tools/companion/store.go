package companion

import (
	"embed"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/tools/gatewaytest"
)

// wordpress is where Debian's package has it.
const wordpress = "/usr/share/wordpress"

//go:embed testdata/*.php
var programs embed.FS

// Form is the way in which the companion is installed.
type Form string

// The forms. Absent is a store without the companion.
const (
	Plugin  Form = "plugins"
	MustUse Form = "mu-plugins"
	Absent  Form = ""
)

// Store is a WordPress with the stub of FluentCart, its customers those of the sandbox store's fixture.
type Store struct {
	URL                string // without a slash at the end
	Username, Password string // the administrator's, who may update customers
	Subscriber         string // password of the account "sub", which may not
	Gate               *Gate  // all statements of WordPress pass it

	directory string
}

// StartWordPress runs a store until the test ends. It skips the test if a program is missing; in CI the test fails.
func StartWordPress(t testing.TB, form Form) *Store {
	t.Helper()
	for _, program := range []string{"mariadbd", "mariadb-install-db", "mariadb", "php", filepath.Join(wordpress, "wp-load.php")} {
		needs(t, program)
	}
	directory, err := os.MkdirTemp("", "companion") //nolint:usetesting // the path of a socket is short, and that of t.TempDir long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(directory) })
	s := &Store{Username: "admin", directory: directory}
	s.writeFiles(t, form)
	startMariaDB(t, directory)
	s.Gate = startGate(t, filepath.Join(directory, "gate.sock"), filepath.Join(directory, "mariadb.sock"))
	address := gatewaytest.FreeAddress(t)
	s.URL = "http://" + address
	s.install(t)
	s.serve(t, address, 4)
	return s
}

// serve runs PHP's built-in server in a number of processes, and returns the command of the first.
func (s *Store) serve(t testing.TB, address string, workers int) *exec.Cmd {
	t.Helper()
	server := s.php("-S", address, filepath.Join(s.directory, "router.php"))
	if workers > 1 {
		server.Env = append(server.Env, "PHP_CLI_SERVER_WORKERS=4")
	}
	start(t, server)
	waitFor(t, "PHP", func() bool { return accepts(t, "tcp", address) })
	return server
}

// php returns a command that runs PHP for this store. Compiled code is shared between its processes.
func (s *Store) php(arguments ...string) *exec.Cmd {
	cache := filepath.Join(s.directory, "opcache")
	command := exec.Command("php", append([]string{"-d", "opcache.enable_cli=1", "-d", "opcache.file_cache=" + cache, "-d", "display_errors=1", //nolint:gosec,noctx // a directory of the test; the clean-up ends it
		"-d", "html_errors=1", "-d", "max_execution_time=30", "-d", "output_buffering=0"}, arguments...)...)
	command.Env = append(os.Environ(), "COMPANION_DIRECTORY="+s.directory, "COMPANION_URL="+s.URL)
	return command
}

// writeFiles writes the programs, and WordPress's content with the plug-ins. Must-use plug-ins run without being activated.
func (s *Store) writeFiles(t testing.TB, form Form) {
	t.Helper()
	files, err := fs.Sub(programs, "testdata")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(s.directory, files); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"content/plugins", "content/mu-plugins", "opcache"} {
		if err := os.MkdirAll(filepath.Join(s.directory, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	root := filepath.Join("..", "..")
	copies := map[string]string{
		filepath.Join(s.directory, "fluentcart.php"):              "content/mu-plugins/fluentcart.php",
		filepath.Join(s.directory, "faults.php"):                  "content/mu-plugins/faults.php",
		filepath.Join(root, "service", "sandbox", "fixture.json"): "fixture.json",
	}
	if form != Absent {
		copies[filepath.Join(root, "deploy", "wordpress", "fluentcart-gateway.php")] = filepath.Join("content", string(form), "fluentcart-gateway.php")
	}
	for from, to := range copies {
		content, err := os.ReadFile(from) //nolint:gosec // a file of the repository
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.directory, to), content, 0o600); err != nil { //nolint:gosec // a path of the test
			t.Fatal(err)
		}
	}
}

func (s *Store) install(t testing.TB) {
	t.Helper()
	output := run(t, s.php(filepath.Join(s.directory, "install.php")))
	_, last, _ := strings.Cut(strings.TrimSpace(output), "\n{")
	if last == "" {
		last = strings.TrimPrefix(strings.TrimSpace(output), "{")
	}
	var accounts struct{ Admin, Sub string }
	if err := json.Unmarshal([]byte("{"+last), &accounts); err != nil || accounts.Admin == "" {
		t.Fatalf("WordPress is not installed: %v\n%s", err, output)
	}
	s.Password, s.Subscriber = accounts.Admin, accounts.Sub
}

// needs skips a test whose program is missing. In CI the test fails.
func needs(t testing.TB, program string) {
	t.Helper()
	_, err := exec.LookPath(program)
	if filepath.IsAbs(program) {
		_, err = os.Stat(program)
	}
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("%s is missing", program)
	}
	if err != nil {
		t.Skipf("%s is missing", program)
	}
}
