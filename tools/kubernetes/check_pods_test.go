package kubernetes

import (
	"path"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// checkPodSecurity applies the profile "restricted", with the code that the API server applies.
func checkPodSecurity(o *overlay, p *problems) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		p.add("%v", err)
		return
	}
	for _, w := range o.workloads() {
		for _, result := range evaluator.EvaluatePod(api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, &w.pod.ObjectMeta, &w.pod.Spec) {
			if !result.Allowed {
				p.add("%s: %s: %s", w.GetName(), result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
	}
}

// checkHardening checks what the profile leaves open.
func checkHardening(o *overlay, p *problems) {
	isTrue := func(b *bool) bool { return b != nil && *b }
	isFalse := func(b *bool) bool { return b != nil && !*b }
	for _, w := range o.workloads() {
		spec, container := w.pod.Spec, w.container()
		if len(spec.Containers) != 1 || len(spec.InitContainers) > 0 {
			p.add("%s: these checks know one container", w.GetName())
		}
		if container.SecurityContext == nil || !isTrue(container.SecurityContext.ReadOnlyRootFilesystem) {
			p.add("%s: the root file system is not read-only", w.GetName())
		}
		if spec.SecurityContext == nil || spec.SecurityContext.RunAsUser == nil {
			p.add("%s: the user is not a number: the kubelet cannot tell that an image's own user is not root", w.GetName())
		}
		if !isFalse(spec.AutomountServiceAccountToken) {
			p.add("%s: has a token of the Kubernetes API", w.GetName())
		}
		if !isFalse(spec.EnableServiceLinks) {
			p.add("%s: gets variables of Services", w.GetName())
		}
		if requests := container.Resources.Requests; requests.Cpu().IsZero() || requests.Memory().IsZero() || container.Resources.Limits.Memory().Cmp(*requests.Memory()) < 0 {
			p.add("%s: needs requests for CPU and memory, and a limit for memory", w.GetName())
		}
	}
	for _, account := range all[*corev1.ServiceAccount](o) {
		if !isFalse(account.AutomountServiceAccountToken) {
			p.add("service account %s hands out tokens", account.Name)
		}
	}
}

// checkFiles checks that each file that the settings name is in a mounted Secret, under a key that the readme creates, and is
// readable by the gateway and not by everyone.
func checkFiles(o *overlay, p *problems) {
	w, _ := o.gateway()
	settings, _ := o.settings()
	used := map[string]bool{}
	for flag, file := range filesOf(settings) {
		volume, mount, key, ok := w.mount(file)
		used[volume.Name] = true
		switch {
		case !ok || volume.Secret == nil:
			p.add("%s=%s: no Secret is mounted there", flag, file)
		case mount.SubPath != "":
			p.add("%s=%s: a single file is never updated", flag, file)
		case !slices.Contains(documentedSecrets(o.readme)[volume.Secret.SecretName], key):
			p.add("%s=%s: the readme creates the Secret %s without the key %s", flag, file, volume.Secret.SecretName, key)
		}
	}
	for _, w := range o.workloads() {
		for _, volume := range w.pod.Spec.Volumes {
			if volume.Secret == nil {
				continue
			}
			if mode := volume.Secret.DefaultMode; mode == nil || *mode&0o007 != 0 || *mode&0o040 == 0 {
				p.add("%s: the mode of %s must let the group read, and not everyone", w.GetName(), volume.Name)
			}
			if security := w.pod.Spec.SecurityContext; security == nil || security.FSGroup == nil {
				p.add("%s: without fsGroup, the files of %s belong to root's group", w.GetName(), volume.Name)
			}
		}
	}
	for _, volume := range w.pod.Spec.Volumes {
		if !used[volume.Name] {
			p.add("%s: no setting names a file of the volume %s", w.GetName(), volume.Name)
		}
	}
}

// filesOf returns the settings that name files, by flag.
func filesOf(settings any) map[string]string {
	found := map[string]string{}
	value := reflect.ValueOf(settings).Elem()
	for i := range value.NumField() {
		if text := value.Field(i).String(); value.Type().Field(i).Tag.Get("placeholder") == "FILE" && text != "" {
			found[value.Type().Field(i).Name] = path.Clean(text)
		}
	}
	return found
}

// documentedSecrets returns the keys of the Secrets that the commands of the readme create, by name. Those of a Certificate are
// created by cert-manager.
func documentedSecrets(readme string) map[string][]string {
	secrets := map[string][]string{}
	for line := range strings.Lines(strings.ReplaceAll(readme, "\\\n", " ")) {
		words := strings.Fields(line)
		if at := slices.Index(words, "generic"); at > 1 && at+1 < len(words) && words[at-1] == "secret" && words[at-2] == "create" {
			for _, word := range words[at+2:] {
				key, ok := strings.CutPrefix(word, "--from-file=")
				if key, _, assigned := strings.Cut(key, "="); ok && assigned {
					secrets[words[at+1]] = append(secrets[words[at+1]], key)
				}
			}
		}
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "secretName: "); ok {
			secrets[name] = []string{"tls.crt", "tls.key", "ca.crt"}
		}
	}
	return secrets
}
