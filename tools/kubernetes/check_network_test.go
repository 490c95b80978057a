package kubernetes

import (
	"net/url"
	"slices"
	"strings"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// checkServices checks that Services lead to ports of the pods that they select, and that no Service has the admin server.
func checkServices(o *overlay, p *problems) {
	for _, service := range all[*corev1.Service](o) {
		for _, port := range service.Spec.Ports {
			for _, w := range o.workloads() {
				selected := service.Spec.Selector["app.kubernetes.io/name"] == w.pod.Labels["app.kubernetes.io/name"]
				if number := w.port(port.TargetPort.StrVal); selected && (number == 0 || number != port.Port) {
					p.add("service %s: port %d leads to %q, which is %d in the container", service.Name, port.Port, port.TargetPort.String(), number)
				}
			}
			if port.TargetPort.String() == "admin" {
				p.add("service %s: the admin server does not authenticate", service.Name)
			}
		}
		if service.Spec.PublishNotReadyAddresses {
			p.add("service %s: sends calls to pods that are not ready", service.Name)
		}
	}
}

// checkNetwork checks that the policies name ports of the pods, and open what the settings need, and the admin server to nobody but
// Prometheus.
func checkNetwork(o *overlay, p *problems) {
	for _, policy := range all[*networkingv1.NetworkPolicy](o) {
		target := o.selected(&policy.Spec.PodSelector)
		for _, rule := range policy.Spec.Ingress {
			if len(rule.From) == 0 || len(rule.Ports) == 0 {
				p.add("network policy %s: a rule without from or ports allows everything", policy.Name)
			}
			if len(target) > 0 && !onlyPorts(target[0], rule.Ports) {
				p.add("network policy %s: %s has no such port", policy.Name, target[0].GetName())
			}
			if len(target) > 0 && hasPort(rule.Ports, target[0].port("admin")) && !slices.ContainsFunc(rule.From, isMonitoring) {
				p.add("network policy %s: opens the admin server to callers", policy.Name)
			}
		}
		for _, rule := range policy.Spec.Egress {
			for _, peer := range rule.To {
				if peer.PodSelector == nil {
					continue
				}
				if to := o.selected(peer.PodSelector); len(to) != 1 || !onlyPorts(to[0], rule.Ports) {
					p.add("network policy %s: the way out leads to no port of a pod", policy.Name)
				}
			}
		}
	}
	for _, w := range o.workloads() {
		for _, port := range w.container().Ports {
			if !slices.ContainsFunc(o.rules(w, networkingv1.PolicyTypeIngress), func(ports []networkingv1.NetworkPolicyPort) bool { return hasPort(ports, port.ContainerPort) }) {
				p.add("no network policy opens the port %s of %s", port.Name, w.GetName())
			}
		}
	}
	w, _ := o.gateway()
	settings, _ := o.settings()
	wanted := map[string]int32{}
	if settings.StoreURL != "" {
		wanted["the store"], wanted["DNS"] = 443, 53
	}
	if redis, err := url.Parse(settings.RedisURL); err == nil && redis.Port() == "6379" {
		wanted["Redis"] = 6379
	}
	for name, port := range wanted {
		if !slices.ContainsFunc(o.rules(w, networkingv1.PolicyTypeEgress), func(ports []networkingv1.NetworkPolicyPort) bool { return hasPort(ports, port) }) {
			p.add("no network policy lets the gateway reach %s", name)
		}
	}
}

// rules returns the ports of the rules of one direction for a workload. Without a policy there are none here, though Kubernetes then
// allows everything.
func (o *overlay) rules(w workload, direction networkingv1.PolicyType) [][]networkingv1.NetworkPolicyPort {
	var ports [][]networkingv1.NetworkPolicyPort
	for _, policy := range all[*networkingv1.NetworkPolicy](o) {
		if !slices.ContainsFunc(o.selected(&policy.Spec.PodSelector), func(s workload) bool { return s.GetName() == w.GetName() }) || !slices.Contains(policy.Spec.PolicyTypes, direction) {
			continue
		}
		if direction == networkingv1.PolicyTypeIngress {
			for _, rule := range policy.Spec.Ingress {
				ports = append(ports, rule.Ports)
			}
			continue
		}
		for _, rule := range policy.Spec.Egress {
			ports = append(ports, rule.Ports)
		}
	}
	return ports
}

func onlyPorts(w workload, ports []networkingv1.NetworkPolicyPort) bool {
	return !slices.ContainsFunc(ports, func(port networkingv1.NetworkPolicyPort) bool {
		return !slices.ContainsFunc(w.container().Ports, func(own corev1.ContainerPort) bool { return own.ContainerPort == port.Port.IntVal })
	})
}

func hasPort(ports []networkingv1.NetworkPolicyPort, number int32) bool {
	return slices.ContainsFunc(ports, func(port networkingv1.NetworkPolicyPort) bool { return port.Port.IntVal == number })
}

func isMonitoring(peer networkingv1.NetworkPolicyPeer) bool {
	return peer.NamespaceSelector != nil && strings.Contains(peer.NamespaceSelector.String(), "monitoring")
}

// checkMonitoring checks that Prometheus asks the admin server.
func checkMonitoring(o *overlay, p *problems) {
	w, _ := o.gateway()
	for _, monitor := range all[*monitoringv1.PodMonitor](o) {
		for _, endpoint := range monitor.Spec.PodMetricsEndpoints {
			if endpoint.Port == nil || *endpoint.Port != "admin" || w.port("admin") == 0 {
				p.add("pod monitor %s: the metrics are on the port admin", monitor.Name)
			}
		}
	}
}
