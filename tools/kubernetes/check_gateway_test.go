package kubernetes

import (
	"net"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

const (
	// exitTime is how long a gateway takes to exit after --drain-timeout.
	exitTime = time.Second
	// releaseTime is how long it then releases its leases in Redis (closeTime in cmd/fluentcart-gateway).
	releaseTime = 2 * time.Second
	// endpointTime is how long kube-proxy and balancers may take to stop sending calls to a pod.
	endpointTime = 5 * time.Second
)

// checkFlags validates the arguments and the variables of the gateway's container with the gateway's own code.
func checkFlags(o *overlay, p *problems) {
	settings, _ := o.settings()
	if err := settings.Validate(); err != nil {
		p.add("%v", err)
	}
	w, _ := o.gateway()
	for _, text := range append(w.container().Args, w.container().Command...) {
		if strings.Contains(text, "$(") {
			p.add("%s: Kubernetes expands variables here, and this test does not", text)
		}
	}
	if settings.LogFormat != "json" {
		p.add("the log is not JSON")
	}
	for name := range o.environment(w.container()) {
		if !strings.HasPrefix(name, variablePrefix) {
			p.add("%s is no variable of the gateway: GOMEMLIMIT and GOGC switch off its own care of the heap", name)
		}
	}
}

// checkPorts checks that the gateway listens on the ports of its container, for other machines.
func checkPorts(o *overlay, p *problems) {
	w, _ := o.gateway()
	settings, _ := o.settings()
	if count := len(w.container().Ports); count != 3 {
		p.add("the container has %d ports, the gateway 3", count)
	}
	for name, addr := range map[string]string{"grpc": settings.GRPCAddr, "http": settings.HTTPAddr, "admin": settings.AdminAddr} {
		host, port, err := net.SplitHostPort(addr)
		if err != nil || port != strconv.Itoa(int(w.port(name))) {
			p.add("the gateway listens at %s, the port %s of its container is %d", addr, name, w.port(name))
		}
		if host != "" {
			p.add("the gateway listens at %s: pods have addresses of IPv4 and IPv6", addr)
		}
	}
}

// checkProbes checks that the probes ask the admin server over HTTP, for paths that TestContainers finds served.
func checkProbes(o *overlay, p *problems) {
	w, _ := o.gateway()
	for name, probe := range probesOf(w.container()) {
		switch {
		case probe == nil:
			p.add("there is no %s probe", name)
		case probe.HTTPGet == nil || probe.HTTPGet.Scheme != "" && probe.HTTPGet.Scheme != corev1.URISchemeHTTP:
			p.add("the %s probe is not one over HTTP: callers may need certificates", name)
		case probe.HTTPGet.Port.StrVal != "admin" && probe.HTTPGet.Port.IntVal != w.port("admin"):
			p.add("the %s probe does not ask the admin server", name)
		}
	}
	if live := w.container().LivenessProbe; live != nil && live.HTTPGet != nil && live.HTTPGet.Path == "/readyz" {
		p.add("the liveness probe asks for readiness: an outage of Redis would restart all gateways")
	}
}

func probesOf(container *corev1.Container) map[string]*corev1.Probe {
	return map[string]*corev1.Probe{"startup": container.StartupProbe, "liveness": container.LivenessProbe, "readiness": container.ReadinessProbe}
}

// checkStop checks that a pod has the time that its gateway takes to stop, and that a rollout takes away no replica before its
// replacement is there.
func checkStop(o *overlay, p *problems) {
	w, _ := o.gateway()
	settings, _ := o.settings()
	needed := settings.DrainDelay + settings.DrainTimeout + exitTime + releaseTime
	if grace := w.pod.Spec.TerminationGracePeriodSeconds; grace == nil || time.Duration(*grace)*time.Second < needed {
		p.add("terminationGracePeriodSeconds is less than the %s that the gateway may take to stop", needed)
	}
	if settings.DrainDelay < endpointTime {
		p.add("--drain-delay=%s: Services send calls for some seconds after a pod has got SIGTERM", settings.DrainDelay)
	}
	if w.container().Lifecycle != nil {
		p.add("a hook delays the stop, and the gateway is ready meanwhile: --drain-delay does it better")
	}
	for _, d := range all[*appsv1.Deployment](o) {
		rolling := d.Spec.Strategy.RollingUpdate
		if rolling == nil || rolling.MaxUnavailable == nil || rolling.MaxUnavailable.String() != "0" {
			p.add("%s: maxUnavailable is not 0", d.Name)
		}
	}
}
