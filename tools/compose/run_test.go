package compose

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/tools/gatewaytest"
)

// stack runs the services as processes of this machine, with the commands and the environment of compose.yaml. Each port of a
// service is a free port here.
type stack struct {
	project *types.Project
	binary  string            // of the gateway
	ports   map[string]string // addresses by service:port
	files   []string          // pairs of a path in containers, and the one here
}

// address returns where a service listens.
func (s *stack) address(t testing.TB, service, port string) string {
	t.Helper()
	name := service + ":" + port
	if s.ports[name] == "" {
		s.ports[name] = gatewaytest.FreeAddress(t)
	}
	return s.ports[name]
}

var (
	ownAddress     = regexp.MustCompile(`^(127\.0\.0\.1)?:(\d+)$`)
	serviceAddress = regexp.MustCompile(`\b([a-z]+[0-9]?):(\d+)\b`)
)

// here returns a text of a service with the addresses and the paths of this machine.
func (s *stack) here(t testing.TB, service, text string) string {
	t.Helper()
	if match := ownAddress.FindStringSubmatch(text); match != nil {
		_, port, _ := net.SplitHostPort(s.address(t, service, match[2]))
		return match[1] + ":" + port // on all addresses, if the container listens there: the flags have to allow it
	}
	text = serviceAddress.ReplaceAllStringFunc(text, func(name string) string {
		host, port, _ := strings.Cut(name, ":")
		if _, ok := s.project.Services[host]; !ok {
			return name
		}
		return s.address(t, host, port)
	})
	return strings.NewReplacer(s.files...).Replace(text)
}

// command returns a command in the environment of a service.
func (s *stack) command(ctx context.Context, t testing.TB, service, program string, args []string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(ctx, program)
	for _, arg := range args {
		command.Args = append(command.Args, s.here(t, service, arg))
	}
	command.Env = []string{"PATH=" + os.Getenv("PATH")}
	for name, value := range s.project.Services[service].Environment {
		if value != nil {
			command.Env = append(command.Env, name+"="+s.here(t, service, *value))
		}
	}
	return command
}

// start runs the command of a service until the test ends. more are the arguments that replace what a container has.
func (s *stack) start(t testing.TB, service string, more ...string) {
	t.Helper()
	program, args := s.binary, s.project.Services[service].Command
	switch service {
	case "redis":
		program, args = args[0], args[1:]
	case "prometheus":
		program = "prometheus"
	}
	command := s.command(context.WithoutCancel(t.Context()), t, service, program, append(args, more...))
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		_ = log.Close()
		if content, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("%s:\n%s", service, content[max(0, len(content)-2000):])
		}
	})
}

// The services work together: both gateways become healthy and write to one store, and Prometheus scrapes both and loads the
// rules.
func TestServicesWorkTogether(t *testing.T) {
	needs(t, "redis-server")
	needs(t, "prometheus")
	s := &stack{project: readProject(t), binary: gatewaytest.Build(t), ports: map[string]string{}}
	for name, secret := range s.project.Secrets {
		content, err := os.ReadFile(secret.File)
		if err != nil {
			t.Fatal(err)
		}
		s.files = append(s.files, "/run/secrets/"+name, write(t, t.TempDir(), name, content))
	}
	for _, service := range []string{"store", "gateway1", "gateway2"} {
		s.start(t, service)
	}
	_, redisPort, _ := net.SplitHostPort(s.address(t, "redis", "6379"))
	s.start(t, "redis", "--bind", "127.0.0.1", "--port", redisPort, "--dir", t.TempDir())
	s.files = append(s.files, "/etc/prometheus", s.prometheusFiles(t), "=/prometheus", "="+t.TempDir())
	s.start(t, "prometheus", "--web.listen-address="+s.address(t, "prometheus", "9090"))

	for _, service := range []string{"store", "gateway1", "gateway2"} {
		check := s.project.Services[service].HealthCheck.Test
		if len(check) < 2 || check[0] != "CMD" || check[1] != "fluentcart-gateway" {
			t.Fatalf("%s: the health check is %v", service, check)
		}
		eventually(t, service+" is healthy", func() (string, bool) {
			output, err := s.command(t.Context(), t, service, s.binary, check[2:]).CombinedOutput()
			return string(output), err == nil
		})
	}
	s.checkGateways(t)
	s.checkPrometheus(t)
}

// prometheusFiles returns a directory with the files of Prometheus, which scrapes once a second.
func (s *stack) prometheusFiles(t testing.TB) string {
	t.Helper()
	directory := t.TempDir()
	for _, name := range []string{"prometheus.yml", "alerts.yaml"} {
		content, err := os.ReadFile(filepath.Join(deploy(t), "prometheus", name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "prometheus.yml" {
			content = []byte(s.here(t, "prometheus", strings.ReplaceAll(string(content), "_interval: 15s", "_interval: 1s")))
		}
		write(t, directory, name, content)
	}
	return directory
}

// checkGateways updates a customer through each gateway, and reads it through the other one.
func (s *stack) checkGateways(t testing.TB) {
	t.Helper()
	body := strings.NewReader(`{"city":"Lyon"}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://"+s.address(t, "gateway1", "8080")+"/v1/customers/1", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if status, content := do(t, request); status != http.StatusOK {
		t.Fatalf("gateway1: %d %s", status, content)
	}
	conn, err := grpc.NewClient(s.address(t, "gateway2", "9090"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	city := "Nice"
	updated, err := customerv1.NewCustomerServiceClient(conn).UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{
		CustomerId: 1, Customer: &customerv1.Customer{City: &city},
	})
	if err != nil || len(updated.GetChangedFields()) != 1 {
		t.Fatalf("gateway2: %v, %v", updated, err)
	}
	if status, content := get(t, "http://"+s.address(t, "gateway1", "8080")+"/v1/customers/1"); status != http.StatusOK || !strings.Contains(content, `"city":"Nice"`) {
		t.Errorf("gateway1: %d %s", status, content)
	}
	if status, content := get(t, "http://"+s.address(t, "store", "8081")+"/sandbox/faults"); status != http.StatusOK {
		t.Errorf("store: %d %s", status, content)
	}
}

func (s *stack) checkPrometheus(t testing.TB) {
	t.Helper()
	server := "http://" + s.address(t, "prometheus", "9090")
	eventually(t, "Prometheus scrapes both gateways", func() (string, bool) {
		_, content := get(t, server+"/api/v1/query?query="+url.QueryEscape(`sum(up{job="fluentcart-gateway"})`))
		return content, strings.Contains(content, `"2"]`)
	})
	_, content := get(t, server+"/api/v1/rules?type=alert")
	var rules struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name string } `json:"rules"`
			} `json:"groups"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(content), &rules); err != nil || len(rules.Data.Groups) == 0 {
		t.Errorf("the rules of Prometheus: %v, %s", err, content)
	}
}

func get(t testing.TB, address string) (status int, content string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, request)
}

// do returns 0 and the error if there is no answer.
func do(t testing.TB, request *http.Request) (status int, content string) {
	t.Helper()
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	var text bytes.Buffer
	if _, err := io.Copy(&text, response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, text.String()
}

// eventually waits until a condition is true. The condition returns what it saw, too.
func eventually(t testing.TB, what string, condition func() (string, bool)) {
	t.Helper()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(30 * time.Second); ; <-again.C {
		saw, ok := condition()
		if ok {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not in time: %s; %s", what, saw)
		}
	}
}

func write(t testing.TB, directory, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(directory, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
