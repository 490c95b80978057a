package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// The image's program has the bytes of `make build`, and the gateway in it works as an account without rights on a root that
// cannot be written.
func TestImage(t *testing.T) {
	log.SetOutput(t.Output()) // of ko
	options := options{root: root, platforms: []string{"linux/" + runtime.GOARCH}, version: "v1.2.3"}
	archive := filepath.Join(t.TempDir(), "image.tar")
	if err := run(t.Context(), options, archive, ""); err != nil {
		t.Fatal(err)
	}
	image := open(t, archive)
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o755); err != nil { // for the account of the gateway
		t.Fatal(err)
	}
	extract(t, image, folder)

	t.Run("has the binary of the Makefile", func(t *testing.T) {
		built := filepath.Join(t.TempDir(), "fluentcart-gateway")
		build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=auto", "-o", built, "./cmd/fluentcart-gateway")
		build.Dir = root
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
		if output, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		if !bytes.Equal(contents(t, built), contents(t, filepath.Join(folder, config.Config.Entrypoint[0]))) {
			t.Error("the bytes differ")
		}
	})
	t.Run("has CA certificates and no file with rights that it does not need", func(t *testing.T) {
		want := []string{
			"/etc/ 755 0", "/etc/group 644 0", "/etc/nsswitch.conf 644 0", "/etc/passwd 644 0", "/etc/ssl/ 755 0", "/etc/ssl/certs/ 755 0",
			"/etc/ssl/certs/ca-certificates.crt 644 0", "/ko-app/ 555 0", "/ko-app/fluentcart-gateway 555 0",
			"/tmp/ 1777 0", "/var/ 555 0", "/var/run/ 555 0", "/var/run/ko/ 555 0",
		}
		if diff := cmp.Diff(want, entries(t, image)); diff != "" {
			t.Error(diff)
		}
		if roots := strings.Count(certificates(), "BEGIN CERTIFICATE"); roots < 100 {
			t.Errorf("only %d root certificates", roots)
		}
	})
	t.Run("runs as an account without rights on a root that cannot be written", func(t *testing.T) { works(t, folder, config.Config) })
}

// A registry on this machine has the base, and gets the image.
func TestImageOnABaseOfARegistryIsSent(t *testing.T) {
	log.SetOutput(t.Output())
	server := httptest.NewServer(registry.New(registry.Logger(log.New(t.Output(), "", 0))))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	platform := v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
	_, made, err := ownBase([]v1.Platform{platform, {OS: "linux", Architecture: "riscv64"}})(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(reference(t, host+"/static:nonroot"), made.(v1.ImageIndex)); err != nil {
		t.Fatal(err)
	}
	options := options{root: root, platforms: []string{platform.String()}, version: "v1.2.3", base: host + "/static:nonroot"}
	if err := run(t.Context(), options, filepath.Join(t.TempDir(), "image.tar"), host+"/gateway"); err != nil {
		t.Fatal(err)
	}
	image, err := remote.Image(reference(t, host+"/gateway:1.2.3"), remote.WithPlatform(platform))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"org.opencontainers.image.base.name": host + "/static:nonroot", "org.opencontainers.image.version": "v1.2.3"} {
		if got := manifest.Annotations[key]; got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if !slices.Contains(entries(t, image), "/ko-app/fluentcart-gateway 555 0") {
		t.Error("the image in the registry has no program")
	}
	err = send(t.Context(), made.(v1.ImageIndex), "127.0.0.1:1/gateway:1.2.3")
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1/gateway:1.2.3: ") {
		t.Errorf("without a registry: %v", err)
	}
}

func reference(t *testing.T, text string) name.Reference {
	t.Helper()
	parsed, err := name.ParseReference(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// open returns the one image of an archive.
func open(t *testing.T, archive string) v1.Image {
	t.Helper()
	folder := t.TempDir()
	if output, err := exec.CommandContext(t.Context(), "tar", "-C", folder, "-xf", archive).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	index, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the archive's index has one entry, and so has the image's
		manifest, err := index.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		if len(manifest.Manifests) != 1 {
			t.Fatalf("%d entries, want 1", len(manifest.Manifests))
		}
		entry := manifest.Manifests[0]
		if !entry.MediaType.IsIndex() {
			image, err := index.Image(entry.Digest)
			if err != nil {
				t.Fatal(err)
			}
			return image
		}
		if index, err = index.ImageIndex(entry.Digest); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the archive has no image")
	return nil
}

// extract writes the files of an image below a folder.
func extract(t *testing.T, image v1.Image, folder string) {
	t.Helper()
	files := mutate.Extract(image)
	defer files.Close() //nolint:errcheck // it was only read
	command := exec.CommandContext(t.Context(), "tar", "-C", folder, "--no-same-owner", "-xpf", "-")
	command.Stdin = files
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}

// entries returns the paths of an image, with their modes and owners, sorted.
func entries(t *testing.T, image v1.Image) []string {
	t.Helper()
	files := mutate.Extract(image)
	defer files.Close() //nolint:errcheck // it was only read
	var all []string
	for archive := tar.NewReader(files); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(all)
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Clean("/" + header.Name)
		if header.Typeflag == tar.TypeDir {
			path += "/"
		}
		all = append(all, strings.Join([]string{path, octal(header.Mode), decimal(header.Uid)}, " "))
	}
}

func contents(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
