package sandbox

import (
	"net/http"
	"testing"
)

func TestFirewallRefusesByTextAndMethod(t *testing.T) {
	tests := []struct {
		name   string
		config FirewallConfig
		notes  string
		target string
		status int
		city   string // after the request, which sets Lyon
	}{
		{"nothing is refused by default", FirewallConfig{}, "<script>", customerPath(1), 200, newCity},
		{"another text passes", FirewallConfig{Texts: []string{"<script"}}, "a < b", customerPath(1), 200, newCity},
		{"a text of the body", FirewallConfig{Texts: []string{"union select"}}, "UNION SELECT 1", customerPath(1), 403, oldCity},
		{"a text of the query", FirewallConfig{Texts: []string{"union select"}}, "", customerPath(1) + "?q=union+select", 403, oldCity},
		{"a text of the query, escaped", FirewallConfig{Texts: []string{"<script"}}, "", customerPath(1) + "?q=%3Cscript", 403, oldCity},
		{"a page of its own", FirewallConfig{Texts: []string{"union"}, Page: AWSChallenge()}, "union", customerPath(1), 202, oldCity},
		{"a method", FirewallConfig{Methods: []string{"PUT"}, Page: NoPut()}, "", customerPath(1), 405, oldCity},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := New(Config{Firewall: &tt.config})
			body := marshal(t, ann(fields{"city": newCity, "notes": tt.notes}))
			w := send(t, store, http.MethodPut, tt.target, body)
			wantStatus(t, w, tt.status)
			wantCity(t, store, tt.city)
			if want := tt.config.Page.Header; want != nil && w.Header().Get("Server") != want.Get("Server") {
				t.Errorf("header %v, want that of the page, %v", w.Header(), want)
			}
		})
	}
}

// Tests find a product by these fields.
func TestPagesCarryTheHeadersOfTheirProducts(t *testing.T) {
	for _, tt := range []struct {
		name         string
		page         Response
		status       int
		field, value string
	}{
		{"Cloudflare's challenge", CloudflareChallenge(503), 503, "cf-mitigated", "challenge"},
		{"Cloudflare's block", CloudflareBlock(), 403, "Server", "cloudflare"},
		{"Sucuri", Sucuri(), 403, "x-sucuri-block", "XSS-01"},
		{"mod_security", ModSecurity(406), 406, "Server", "Apache"},
		{"Wordfence", Wordfence(503), 503, "Content-Type", "text/html; charset=UTF-8"},
		{"nginx limit_req", RateLimit(429), 429, "Server", "nginx"},
		{"AWS captcha", AWSCaptcha(), 405, "x-amzn-waf-action", "captcha"},
		{"AWS challenge", AWSChallenge(), 202, "x-amzn-waf-action", "challenge"},
		{"Imunify360", Imunify(), 200, "Server", "imunify360-webshield/1.21"},
		{"LiteSpeed", LiteSpeedCaptcha(), 200, "Server", "LiteSpeed"},
		{"a host without PUT", NoPut(), 405, "Allow", "GET, HEAD, POST"},
		{"a plug-in's error", PluginError(400), 400, "Content-Type", jsonType},
		{"a redirect", Redirect(302, "https://shop.example/login"), 302, "Location", "https://shop.example/login"},
		{"a page of the theme", ThemePage(404), 404, "Content-Type", "text/html; charset=UTF-8"},
		{"an empty body", EmptyBody(403), 403, "Content-Type", "text/html; charset=UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := New(Config{Fail: always(Failure{Instead: tt.page})})
			w := put(t, store, 1, ann(fields{"city": newCity}))
			wantStatus(t, w, tt.status)
			if got := w.Header().Get(tt.field); got != tt.value {
				t.Errorf("%s %q, want %q", tt.field, got, tt.value)
			}
			wantCity(t, store, newCity) // a response does not say whether the row was written (F25)
		})
	}
}
