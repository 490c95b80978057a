package server_test

import (
	"net/url"
	"os/exec"
	"strings"
	"testing"
)

// The vendor's JavaScript sample works in Node under any host name. Node's fetch sends Sec-Fetch-Mode, as browsers do.
func TestNodesFetchWorksUnderAnyHostName(t *testing.T) {
	require(t, []string{"node", "--version"})
	g := start(t, options{})
	address, err := url.Parse(g.url)
	if err != nil {
		t.Fatal(err)
	}
	const program = `
		require("dns").lookup = (name, options, done) => // every name is this machine
			options.all ? done(null, [{address: "127.0.0.1", family: 4}]) : done(null, "127.0.0.1", 4)
		fetch("http://gateway.internal:{port}/wp-json/fluent-cart/v2/customers/1",
			{method: "{method}", headers: {"Content-Type": "application/json"}, body: JSON.stringify({notes: "{method}"})},
		).then(async response => console.log(response.status, await response.text()))`
	for _, method := range []string{"PUT", "POST"} {
		script := strings.NewReplacer("{port}", address.Port(), "{method}", method).Replace(program)
		output, err := exec.CommandContext(t.Context(), "node", "-e", script).CombinedOutput()
		if err != nil || !strings.HasPrefix(string(output), "200 ") {
			t.Errorf("%s: %v: %s", method, err, output)
		}
	}
}
