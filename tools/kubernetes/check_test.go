package kubernetes

import (
	"errors"
	"fmt"
	"testing"
)

var errNoGateway = errors.New("there must be one Deployment or StatefulSet named " + gatewayName)

// problems are what is wrong with an overlay.
type problems []string

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

// checks are applied to each overlay.
var checks = []func(o *overlay, p *problems){
	checkNames, checkReferences, checkSelectors,
	checkPodSecurity, checkHardening, checkFiles,
	checkFlags, checkPorts, checkProbes, checkStop,
	checkWriters, checkScaling, checkServices, checkNetwork, checkMonitoring,
}

func (o *overlay) problems() problems {
	var p problems
	if _, ok := o.gateway(); !ok {
		p.add("%v", errNoGateway)
		return p
	}
	if _, err := o.settings(); err != nil { // the checks need them
		p.add("%v", err)
		return p
	}
	for _, check := range checks {
		check(o, &p)
	}
	return p
}

// variants are the overlays, as they are and with the changes that their comments offer.
func variants() map[string]func(testing.TB) *overlay {
	tls := func(name string) edit {
		return edit{"overlays/" + name + "/kustomization.yaml", "# - ../../components/tls", "- ../../components/tls"}
	}
	mutualTLS := func(name string) []edit {
		settings := "overlays/" + name + "/settings.env"
		return []edit{
			tls(name),
			{"overlays/" + name + "/kustomization.yaml", "  - ../../components/tokens\n", ""},
			{settings, "#FLUENTCART_GATEWAY_CALLER_AUTH", "FLUENTCART_GATEWAY_CALLER_AUTH"},
			{settings, "#FLUENTCART_GATEWAY_TLS_CLIENT_CA", "FLUENTCART_GATEWAY_TLS_CLIENT_CA"},
			{settings, "#FLUENTCART_GATEWAY_ALLOW_CLIENT", "FLUENTCART_GATEWAY_ALLOW_CLIENT"},
		}
	}
	from := func(name string, edits ...edit) func(testing.TB) *overlay {
		return func(t testing.TB) *overlay { return build(t, "overlays/"+name, edits...) }
	}
	return map[string]func(testing.TB) *overlay{
		"sandbox":                  from("sandbox"),
		"single":                   from("single"),
		"single with TLS":          from("single", tls("single")),
		"single with traces":       from("single", edit{"overlays/single/kustomization.yaml", "# - ../../components/traces", "- ../../components/traces"}),
		"single with certificates": from("single", mutualTLS("single")...),
		"redis":                    from("redis"),
		"redis with TLS":           from("redis", tls("redis")),
		"redis with certificates":  from("redis", mutualTLS("redis")...),
	}
}

func TestOverlays(t *testing.T) {
	for name, build := range variants() {
		t.Run(name, func(t *testing.T) {
			for _, problem := range build(t).problems() {
				t.Error(problem)
			}
		})
	}
}

// Each overlay of the directory is tested.
func TestEachOverlayIsAVariant(t *testing.T) {
	for _, name := range directories(t, manifests+"/overlays") {
		if variants()[name] == nil {
			t.Errorf("deploy/kubernetes/overlays/%s is not tested", name)
		}
	}
}
