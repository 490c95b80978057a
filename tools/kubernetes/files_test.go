package kubernetes

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// createSecrets runs the commands of the readme that create Secrets, with a kubectl that writes <name>/<key> into a directory. It
// returns the directory and the token of the caller orders.
func createSecrets(t testing.TB, binary string) (secrets, token string) {
	t.Helper()
	folder := t.TempDir()
	secrets = filepath.Join(folder, "secrets")
	writeFile(t, filepath.Join(folder, "store-password"), []byte(sandbox.AdminPassword+"\n"), 0o600)
	writeFile(t, filepath.Join(folder, "bin/kubectl"), []byte(`#!/bin/sh -eu
[ "$1 $3 $4 $5" = "-n create secret generic" ]
file=${7#--from-file=}
mkdir -p "$SECRETS/$6"
cp "${file#*=}" "$SECRETS/$6/${file%%=*}"
`), 0o700)
	if err := os.Symlink(binary, filepath.Join(folder, "bin/fluentcart-gateway")); err != nil {
		t.Fatal(err)
	}
	var commands []string
	for line := range strings.Lines(readme(t)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "fluentcart-gateway token ") || strings.HasPrefix(line, "kubectl ") && strings.Contains(line, "create secret generic") || strings.HasPrefix(line, "head ") {
			commands = append(commands, line)
		}
	}
	shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", strings.Join(commands, "\n"))
	shell.Dir = folder
	shell.Env = []string{"PATH=" + filepath.Join(folder, "bin") + ":" + os.Getenv("PATH"), "SECRETS=" + secrets}
	shell.Stderr = os.Stderr
	output, err := shell.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	createCertificates(t, filepath.Join(secrets, "fluentcart-gateway-tls"))
	return secrets, strings.TrimSpace(string(output))
}

// mountVolume writes the files of a volume as a kubelet does, and returns the directory of the mount: the files are links into a
// directory that is replaced as a whole. They belong to root and the pod's group, and their mode is that of the volume.
func mountVolume(t testing.TB, o *overlay, pod corev1.PodSpec, volume corev1.Volume, secrets string) string {
	t.Helper()
	folder := t.TempDir()
	open(t, folder)
	files, mode := map[string][]byte{}, os.FileMode(0o644)
	switch {
	case volume.Secret != nil:
		mode = os.FileMode(*volume.Secret.DefaultMode)
		source := filepath.Join(secrets, volume.Secret.SecretName)
		for _, key := range directories(t, source) {
			content, err := os.ReadFile(filepath.Join(source, key))
			if err != nil {
				t.Fatal(err)
			}
			files[key] = content
		}
	case volume.ConfigMap != nil:
		for _, configMap := range all[*corev1.ConfigMap](o) {
			for key, text := range configMap.Data {
				if configMap.Name == volume.ConfigMap.Name {
					files[key] = []byte(text)
				}
			}
		}
	}
	data := filepath.Join(folder, "..2026_11_28")
	for key, content := range files {
		path := filepath.Join(data, key)
		writeFile(t, path, content, mode)
		if os.Geteuid() == 0 {
			if err := os.Chown(path, 0, int(*pod.SecurityContext.FSGroup)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink(filepath.Join("..data", key), filepath.Join(folder, key)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Base(data), filepath.Join(folder, "..data")); err != nil {
		t.Fatal(err)
	}
	return folder
}

func writeFile(t testing.TB, path string, content []byte, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // which the umask does not change
		t.Fatal(err)
	}
}

// open lets other users enter a temporary directory of the test.
func open(t testing.TB, folder string) {
	t.Helper()
	for _, directory := range []string{folder, filepath.Dir(folder)} {
		if err := os.Chmod(directory, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
