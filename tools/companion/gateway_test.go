package companion

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/tools/gatewaytest"
)

// The gateway's own tests use the sandbox store. Here it updates a customer of WordPress by FluentCart's own calls.
func TestGatewayUpdatesACustomerOfWordPress(t *testing.T) {
	s := StartWordPress(t, Absent)
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(s.Password), 0o600); err != nil {
		t.Fatal(err)
	}
	gateway := gatewaytest.Start(t, gatewaytest.Build(t), "--store-url="+s.URL, "--store-username="+s.Username, "--store-password-file="+password)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, gateway.URL+"/v1/customers/2", bytes.NewReader([]byte(`{"city":"Lyon"}`)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	before := s.row(t, 2)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	var got struct{ Data struct{ City string } }
	if err != nil || json.Unmarshal(content, &got) != nil || response.StatusCode != http.StatusOK || got.Data.City != "Lyon" {
		t.Errorf("%v: HTTP %d %s", err, response.StatusCode, content)
	}
	if changed := differences(before, s.row(t, 2)); len(changed) != 1 || changed[0] != "city" {
		t.Errorf("%v changed", changed)
	}
}
