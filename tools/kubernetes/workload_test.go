package kubernetes

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/fluentcart-gateway/fluentcart-gateway/cmd/fluentcart-gateway/config"
)

const (
	gatewayName    = "fluentcart-gateway" // of the gateway's workload
	variablePrefix = "FLUENTCART_GATEWAY_"
)

// workload is what Deployments and StatefulSets have in common.
type workload struct {
	metav1.Object
	kind     string
	replicas *int32
	selector *metav1.LabelSelector
	pod      *corev1.PodTemplateSpec
}

func (o *overlay) workloads() []workload {
	var found []workload
	for _, d := range all[*appsv1.Deployment](o) {
		found = append(found, workload{d, "Deployment", d.Spec.Replicas, d.Spec.Selector, &d.Spec.Template})
	}
	for _, s := range all[*appsv1.StatefulSet](o) {
		found = append(found, workload{s, "StatefulSet", s.Spec.Replicas, s.Spec.Selector, &s.Spec.Template})
	}
	return found
}

// gateway returns the gateway's workload, or false if there is not exactly one.
func (o *overlay) gateway() (workload, bool) {
	gateways := slices.DeleteFunc(o.workloads(), func(w workload) bool { return w.GetName() != gatewayName })
	if len(gateways) != 1 {
		return workload{}, false
	}
	return gateways[0], true
}

func (w workload) container() *corev1.Container { return &w.pod.Spec.Containers[0] }

// port returns the container port of a name.
func (w workload) port(name string) int32 {
	for _, port := range w.container().Ports {
		if port.Name == name {
			return port.ContainerPort
		}
	}
	return 0
}

// environment returns the variables of a container: those of its ConfigMaps, and its own, which have precedence.
func (o *overlay) environment(container *corev1.Container) map[string]string {
	variables := map[string]string{}
	for _, from := range container.EnvFrom {
		for _, configMap := range all[*corev1.ConfigMap](o) {
			if from.ConfigMapRef != nil && from.ConfigMapRef.Name == configMap.Name {
				maps.Copy(variables, configMap.Data)
			}
		}
	}
	for _, variable := range container.Env {
		variables[variable.Name] = variable.Value
	}
	return variables
}

// settings parses the environment and the arguments of the gateway's container as the gateway does. It does not validate them.
func (o *overlay) settings() (*config.Config, error) {
	w, ok := o.gateway()
	if !ok {
		return &config.Config{}, errNoGateway
	}
	var args []string
	for name, value := range o.environment(w.container()) {
		if flag, ok := strings.CutPrefix(name, variablePrefix); ok {
			args = append(args, "--"+strings.ToLower(strings.ReplaceAll(flag, "_", "-"))+"="+value)
		}
	}
	flags := &config.Flags{}
	parser, err := kong.New(flags)
	if err != nil {
		return nil, err
	}
	_, err = parser.Parse(append(args, w.container().Args...)) // of a flag that is given twice, the last value counts
	return (*config.Config)(flags), err
}

// mount returns the volume below which a path of the container is, and the path inside it.
func (w workload) mount(file string) (corev1.Volume, corev1.VolumeMount, string, bool) {
	for _, mount := range w.container().VolumeMounts {
		inside, ok := strings.CutPrefix(file, path.Clean(mount.MountPath)+"/")
		if !ok {
			continue
		}
		for _, volume := range w.pod.Spec.Volumes {
			if volume.Name == mount.Name {
				return volume, mount, inside, true
			}
		}
	}
	return corev1.Volume{}, corev1.VolumeMount{}, "", false
}
