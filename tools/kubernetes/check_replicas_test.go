package kubernetes

import (
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
)

// checkWriters checks that no two gateways without common leases write to a store.
func checkWriters(o *overlay, p *problems) {
	w, _ := o.gateway()
	settings, _ := o.settings()
	one := w.replicas != nil && *w.replicas == 1
	switch {
	case settings.Sandbox:
		if !one {
			p.add("each replica has a sandbox store of its own: there must be one")
		}
	case settings.RedisURL != "":
		checkRedis(o, p, settings.RedisURL)
	default:
		if !one || w.kind != "StatefulSet" {
			p.add("without Redis there must be one gateway, also while another one drains: a StatefulSet with replicas: 1, not a %s", w.kind)
		}
		if ready := w.container().ReadinessProbe; ready == nil || time.Duration(ready.InitialDelaySeconds)*time.Second < settings.SettleTime {
			p.add("after a crash, writes may be in doubt for %s: initialDelaySeconds of the readiness probe must be that", settings.SettleTime)
		}
		for _, service := range all[*corev1.Service](o) {
			if service.Spec.ClusterIP == corev1.ClusterIPNone {
				p.add("service %s: clients that know the address of the pod call it before it is ready", service.Name)
			}
		}
	}
}

// checkRedis checks that the Redis of the overlay is there, and that there is one.
func checkRedis(o *overlay, p *problems, address string) {
	redis, err := url.Parse(address)
	if err != nil {
		p.add("%v", err)
		return
	}
	for _, service := range all[*corev1.Service](o) {
		if service.Name != redis.Hostname() {
			continue
		}
		for _, port := range service.Spec.Ports {
			if strconv.Itoa(int(port.Port)) != redis.Port() {
				p.add("%s: the port of the service is %d", address, port.Port)
			}
		}
		for _, s := range all[*appsv1.StatefulSet](o) {
			if s.Spec.Template.Labels["app.kubernetes.io/name"] == service.Spec.Selector["app.kubernetes.io/name"] && s.Spec.Replicas != nil && *s.Spec.Replicas == 1 {
				return
			}
		}
		p.add("%s: two Redis at once give out a lease twice: it must be a StatefulSet with replicas: 1", address)
		return
	}
	p.add("%s: the overlay has no such service", address)
}

// checkScaling checks the number of replicas, and that the comments which add up the slots have the numbers of the files.
func checkScaling(o *overlay, p *problems) {
	w, _ := o.gateway()
	settings, _ := o.settings()
	least := int32(1)
	for _, scaler := range all[*autoscalingv2.HorizontalPodAutoscaler](o) {
		spec := scaler.Spec
		if spec.MinReplicas != nil {
			least = *spec.MinReplicas
		}
		if target := spec.ScaleTargetRef; target.APIVersion != "apps/v1" || target.Kind != w.kind || target.Name != w.GetName() {
			p.add("the autoscaler scales %s %s, which does not exist", target.Kind, target.Name)
		}
		if w.replicas != nil {
			p.add("replicas is set, and each apply sets back what the autoscaler has set")
		}
		if spec.MaxReplicas <= least {
			p.add("the autoscaler has nothing to choose: %d to %d replicas", least, spec.MaxReplicas)
		}
		slots := int(spec.MaxReplicas) * settings.MaxInFlight
		sum := fmt.Sprintf("%d × %d = %d", spec.MaxReplicas, settings.MaxInFlight, slots)
		comment, err := os.ReadFile(manifests + "/overlays/redis/autoscaler.yaml")
		if err != nil || !strings.Contains(string(comment), sum) || !strings.Contains(o.readme, sum) {
			p.add("the comment in autoscaler.yaml and the readme must say which number of PHP workers the store needs: %s", sum)
		}
		for _, d := range all[*appsv1.Deployment](o) {
			rolling := d.Spec.Strategy.RollingUpdate
			if rolling == nil || rolling.MaxSurge == nil {
				p.add("%s: maxSurge is not set, and counts in the sum of slots", d.Name)
				continue
			}
			more := rolling.MaxSurge.IntValue() + 1 // and one that drains
			sum := fmt.Sprintf("(%d + %d) × %d = %d", spec.MaxReplicas, more, settings.MaxInFlight, (int(spec.MaxReplicas)+more)*settings.MaxInFlight)
			if !strings.Contains(string(comment), sum) {
				p.add("the comment in autoscaler.yaml must say how many slots there are in a rollout: %s", sum)
			}
		}
	}
	if w.kind == "Deployment" && w.replicas == nil && len(all[*autoscalingv2.HorizontalPodAutoscaler](o)) == 0 {
		p.add("nothing sets the number of replicas")
	}
	for _, budget := range all[*policyv1.PodDisruptionBudget](o) {
		switch {
		case budget.Spec.MinAvailable != nil && budget.Spec.MinAvailable.IntVal >= least:
			p.add("the disruption budget keeps all %d replicas: no node can be drained", least)
		case budget.Spec.MinAvailable == nil && (budget.Spec.MaxUnavailable == nil || budget.Spec.MaxUnavailable.IntVal < 1):
			p.add("the disruption budget lets no replica go: no node can be drained")
		case budget.Spec.MaxUnavailable != nil && budget.Spec.MaxUnavailable.IntVal >= least:
			p.add("the disruption budget lets all %d replicas go at once", least)
		}
	}
	if least > 1 && len(all[*policyv1.PodDisruptionBudget](o)) == 0 {
		p.add("several replicas have no disruption budget")
	}
}
