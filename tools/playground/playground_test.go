package playground

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/fluentcart-gateway/fluentcart-gateway/tools/gatewaytest"
)

const page = "/docs"

func TestCallsOfThePlaygroundWork(t *testing.T) {
	gateway := gatewaytest.Start(t, gatewaytest.Build(t), "--sandbox")
	b := open(t, gateway.URL, page, desktop, "light")

	const update, patch, read = call("updateCustomer"), call("patchCustomer"), call("getCustomer")
	b.unfold(t, update)
	filledIn := get(t, b, chromedp.Value(update.in(".body-param__text")))
	for _, documented := range []string{`"email": "customer@example.com"`, `"full_name": "John Doe Updated"`, `"postcode": "string"`, `"user_id": 0`} {
		if !strings.Contains(filledIn, documented) {
			t.Errorf("the documented %s is not filled in: %s", documented, filledIn)
		}
	}
	status, body := b.execute(t, update)
	wantAnswer(t, "update", status, body, "200", `"message": "Customer updated successfully!"`, `"city": "string"`)

	b.unfold(t, patch)
	status, body = b.execute(t, patch)
	wantAnswer(t, "partial update", status, body, "200", `"city": "Lyon"`, `"full_name": "John Doe Updated"`)

	b.choose(t, patch.in("tr[data-param-name=validate_only] select"), "true")
	b.choose(t, patch.in(".examples-select-element"), "2_all_fields")
	status, body = b.execute(t, patch)
	wantAnswer(t, "dry run", status, body, "200", "Nothing was written", `"city": "Paris"`)

	b.unfold(t, read)
	status, body = b.execute(t, read)
	wantAnswer(t, "read", status, body, "200", `"customer": {`, `"city": "Lyon"`)

	b.choose(t, update.in(".examples-select-element"), "5_refused")
	status, body = b.execute(t, update)
	wantAnswer(t, "error", status, body, "400", "STORE_VALIDATION", `"write_state": "rejected"`, `"field": "city"`)
	b.checkQuiet(t)
}

func TestPlaygroundAuthorizesWithATokenAndWithAnApplicationPassword(t *testing.T) {
	binary := gatewaytest.Build(t)
	tokens := filepath.Join(t.TempDir(), "tokens")
	output, err := exec.CommandContext(t.Context(), binary, "token", "caller", "--token-file="+tokens).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []struct {
		flags  []string
		inputs []chromedp.CSS
		values []string
	}{
		{[]string{"--caller-auth=token", "--token-file=" + tokens}, []chromedp.CSS{"#auth-bearer-value"}, []string{strings.TrimSpace(string(output))}},
		{[]string{"--caller-auth=store"}, []chromedp.CSS{"#auth-basic-username", "#auth-basic-password"}, []string{gatewaytest.SandboxUsername, gatewaytest.SandboxPassword}},
	} {
		t.Run(mode.flags[0], func(t *testing.T) {
			gateway := gatewaytest.Start(t, binary, append(mode.flags, "--sandbox")...)
			b := open(t, gateway.URL, page, desktop, "light")
			const read = call("getCustomer")
			b.unfold(t, read)
			status, body := b.execute(t, read)
			wantAnswer(t, "without credentials", status, body, "401", "CALLER_UNAUTHENTICATED")

			b.do(t, chromedp.Click(chromedp.CSS(".btn.authorize")), chromedp.WaitVisible(mode.inputs[0]))
			for i, input := range mode.inputs {
				b.do(t, chromedp.SendKeys(input, mode.values[i]))
			}
			b.do(t, chromedp.Click(chromedp.CSS(".auth-container:has("+string(mode.inputs[0])+") .btn.authorize")), chromedp.Click(chromedp.CSS(".btn-done")), chromedp.WaitNotPresent(chromedp.CSS(".dialog-ux")))
			status, body = b.execute(t, read)
			wantAnswer(t, "with credentials", status, body, "200", `"customer": {`)
			b.checkQuiet(t)
		})
	}
}

// TestPlaygroundFitsPhonesAndDesktops looks at sizes; what the page looks like is in the screenshots (SCREENSHOTS=directory).
func TestPlaygroundFitsPhonesAndDesktops(t *testing.T) {
	gateway := gatewaytest.Start(t, gatewaytest.Build(t), "--sandbox")
	for _, window := range []size{phone, desktop} {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(window.name+" "+scheme, func(t *testing.T) {
				name := window.name + "-" + scheme
				b := open(t, gateway.URL, page, window, scheme)
				b.screenshot(t, name+"-1-top")
				const update = call("updateCustomer")
				b.unfold(t, update)
				b.scrollTo(t, update.in(".opblock-summary"))
				b.screenshot(t, name+"-2-parameters")
				b.execute(t, update)
				b.scrollTo(t, update.in(".body-param"))
				b.screenshot(t, name+"-3-body")
				b.scrollTo(t, update.in(".live-responses-table"))
				b.screenshot(t, name+"-4-answer")
				b.scrollTo(t, "#fields")
				b.screenshot(t, name+"-5-fields")
				b.scrollTo(t, "#errors")
				b.screenshot(t, name+"-6-errors")
				b.do(t, chromedp.Click(chromedp.CSS(".btn.authorize")), chromedp.WaitVisible(chromedp.CSS("#auth-basic-username")))
				b.screenshot(t, name+"-7-authorize")
				width := get(t, b, chromedp.Evaluate[int64]("document.documentElement.scrollWidth"))
				if width > window.width {
					t.Errorf("the page is %d pixels wide in a window of %d", width, window.width)
				}
				b.checkQuiet(t)
			})
		}
	}
}

func wantAnswer(t *testing.T, what, status, body, wantStatus string, wantInBody ...string) {
	t.Helper()
	if status != wantStatus {
		t.Errorf("%s: the page shows status %q, want %s: %s", what, status, wantStatus, body)
	}
	for _, want := range wantInBody {
		if !strings.Contains(body, want) {
			t.Errorf("%s: the page does not show %s: %s", what, want, body)
		}
	}
}
