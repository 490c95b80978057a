package kubernetes

import (
	"os"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
)

// checkNames checks names and labels by the rules of the API server, and that an overlay is in one namespace.
func checkNames(o *overlay, p *problems) {
	for _, object := range o.objects {
		for _, fault := range validation.IsDNS1123Subdomain(object.GetName()) {
			p.add("%s: name: %s", object.GetName(), fault)
		}
		if namespace := object.GetNamespace(); namespace == "" || namespace != o.objects[0].GetNamespace() {
			p.add("%s: namespace %q is not that of %s", object.GetName(), namespace, o.objects[0].GetName())
		}
		if object.GetLabels()["app.kubernetes.io/part-of"] != gatewayName {
			p.add("%s: has no label app.kubernetes.io/part-of", object.GetName())
		}
		for name, value := range object.GetLabels() {
			for _, fault := range slices.Concat(validation.IsQualifiedName(name), validation.IsValidLabelValue(value)) {
				p.add("%s: label %s: %s", object.GetName(), name, fault)
			}
		}
	}
	for _, w := range o.workloads() {
		for _, port := range w.container().Ports {
			for _, fault := range validation.IsValidPortName(port.Name) {
				p.add("%s: port %s: %s", w.GetName(), port.Name, fault)
			}
		}
	}
}

// checkReferences checks that what a workload names exists: in the overlay, or, for Secrets, in the commands of the readme.
func checkReferences(o *overlay, p *problems) {
	named := func(object metav1.Object, name string) bool { return object.GetName() == name }
	for _, w := range o.workloads() {
		spec := w.pod.Spec
		if account := spec.ServiceAccountName; account != "" && !slices.ContainsFunc(all[*corev1.ServiceAccount](o), func(a *corev1.ServiceAccount) bool { return named(a, account) }) {
			p.add("%s: service account %s does not exist", w.GetName(), account)
		}
		var configMaps []string
		for _, from := range w.container().EnvFrom {
			if from.ConfigMapRef == nil {
				p.add("%s: variables come from something other than a ConfigMap", w.GetName())
				continue
			}
			configMaps = append(configMaps, from.ConfigMapRef.Name)
		}
		for _, volume := range spec.Volumes {
			switch {
			case volume.ConfigMap != nil:
				configMaps = append(configMaps, volume.ConfigMap.Name)
			case volume.Secret != nil:
				if _, ok := documentedSecrets(o.readme)[volume.Secret.SecretName]; !ok {
					p.add("%s: secret %s is not created in the readme", w.GetName(), volume.Secret.SecretName)
				}
			default:
				p.add("%s: volume %s is neither a ConfigMap nor a Secret", w.GetName(), volume.Name)
			}
		}
		for _, name := range configMaps {
			if !slices.ContainsFunc(all[*corev1.ConfigMap](o), func(c *corev1.ConfigMap) bool { return named(c, name) }) {
				p.add("%s: config map %s does not exist", w.GetName(), name)
			}
		}
		if image := w.container().Image; !strings.Contains(image, ":") {
			p.add("%s: image %s has no tag", w.GetName(), image)
		}
	}
}

// checkSelectors checks that each selector selects pods of the overlay.
func checkSelectors(o *overlay, p *problems) {
	selects := func(what string, selector *metav1.LabelSelector) {
		if len(o.selected(selector)) == 0 {
			p.add("%s selects no pod: %v", what, selector)
		}
	}
	for _, w := range o.workloads() {
		if found := o.selected(w.selector); len(found) != 1 || found[0].GetName() != w.GetName() {
			p.add("%s does not select its own pods, or others too: %v", w.GetName(), w.selector)
		}
		for _, spread := range w.pod.Spec.TopologySpreadConstraints {
			if found := o.selected(spread.LabelSelector); len(found) != 1 || found[0].GetName() != w.GetName() {
				p.add("%s: the spread over %s does not count its own pods", w.GetName(), spread.TopologyKey)
			}
		}
	}
	for _, s := range all[*corev1.Service](o) {
		selects("service "+s.Name, &metav1.LabelSelector{MatchLabels: s.Spec.Selector})
	}
	for _, b := range all[*policyv1.PodDisruptionBudget](o) {
		selects("disruption budget "+b.Name, b.Spec.Selector)
	}
	for _, m := range all[*monitoringv1.PodMonitor](o) {
		selects("pod monitor "+m.Name, &m.Spec.Selector)
	}
	for _, n := range all[*networkingv1.NetworkPolicy](o) {
		selects("network policy "+n.Name, &n.Spec.PodSelector)
	}
}

// selected returns the workloads whose pods a selector selects.
func (o *overlay) selected(selector *metav1.LabelSelector) []workload {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil || parsed.Empty() {
		return nil
	}
	return slices.DeleteFunc(o.workloads(), func(w workload) bool { return !parsed.Matches(labels.Set(w.pod.Labels)) })
}

func directories(t testing.TB, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}
