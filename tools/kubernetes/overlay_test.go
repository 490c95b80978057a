package kubernetes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const (
	root      = "../.."
	manifests = root + "/deploy/kubernetes"
)

// overlay is what a kustomization builds.
type overlay struct {
	objects []metav1.Object // pointers to the types of the API
	readme  string
}

// edit changes a file, as an operator would.
type edit struct{ file, old, new string }

// building keeps builds apart: kustomize has the schemas of the API in global variables.
var building sync.Mutex

// build builds a kustomization of deploy/kubernetes after edits of its files, in memory, and decodes it strictly.
func build(t testing.TB, path string, edits ...edit) *overlay {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	files := filesys.MakeFsInMemory()
	if err := copyInto(files); err != nil {
		t.Fatal(err)
	}
	for _, edit := range edits {
		file := "/kubernetes/" + edit.file
		content, err := files.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(content), edit.old) != 1 {
			t.Fatalf("%s must have %q once", edit.file, edit.old)
		}
		if err := files.WriteFile(file, []byte(strings.Replace(string(content), edit.old, edit.new, 1))); err != nil {
			t.Fatal(err)
		}
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, "/kubernetes/"+path)
	if err != nil {
		t.Fatal(err)
	}
	o := &overlay{readme: readme(t)}
	for _, resource := range built.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		object, err := decode(resource.GetApiVersion(), resource.GetKind(), text)
		if err != nil {
			t.Fatalf("%s %s: %v", resource.GetKind(), resource.GetName(), err)
		}
		o.objects = append(o.objects, object)
	}
	return o
}

// copyInto copies deploy/kubernetes.
func copyInto(files filesys.FileSystem) error {
	return filepath.WalkDir(manifests, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(manifests, path)
		if err != nil {
			return err
		}
		return files.WriteFile("/kubernetes/"+filepath.ToSlash(relative), content)
	})
}

// decode decodes an object strictly: a field that the API does not have, or that is written differently, is an error.
func decode(apiVersion, kind string, text []byte) (metav1.Object, error) {
	var object metav1.Object
	switch apiVersion + " " + kind {
	case "apps/v1 Deployment":
		object = &appsv1.Deployment{}
	case "apps/v1 StatefulSet":
		object = &appsv1.StatefulSet{}
	case "autoscaling/v2 HorizontalPodAutoscaler":
		object = &autoscalingv2.HorizontalPodAutoscaler{}
	case "monitoring.coreos.com/v1 PodMonitor":
		object = &monitoringv1.PodMonitor{}
	case "networking.k8s.io/v1 NetworkPolicy":
		object = &networkingv1.NetworkPolicy{}
	case "policy/v1 PodDisruptionBudget":
		object = &policyv1.PodDisruptionBudget{}
	case "v1 ConfigMap":
		object = &corev1.ConfigMap{}
	case "v1 Service":
		object = &corev1.Service{}
	case "v1 ServiceAccount":
		object = &corev1.ServiceAccount{}
	default:
		return nil, fmt.Errorf("%s %s is not decoded: add its type here", apiVersion, kind)
	}
	converted, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, err
	}
	faults, err := json.UnmarshalStrict(converted, object)
	return object, errors.Join(append(faults, err)...)
}

// all returns the objects of one type.
func all[T metav1.Object](o *overlay) []T {
	var found []T
	for _, object := range o.objects {
		if object, ok := object.(T); ok {
			found = append(found, object)
		}
	}
	return found
}

func readme(t testing.TB) string {
	t.Helper()
	content, err := os.ReadFile(manifests + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestDecodingIsStrict shows that a misspelt field is found.
func TestDecodingIsStrict(t *testing.T) {
	for _, text := range []string{"spec: {replica: 1}", "spec: {Replicas: 1}", "spec: {replicas: one}", "spec: {replicas: 1, replicas: 2}"} {
		if _, err := decode("apps/v1", "Deployment", []byte(text)); err == nil {
			t.Errorf("%s is accepted", text)
		}
	}
}
