package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	provenancev1 "github.com/in-toto/attestation/go/predicates/provenance/v1"
	intotov1 "github.com/in-toto/attestation/go/v1"
	spdxjson "github.com/spdx/tools-golang/json"
	"google.golang.org/protobuf/encoding/protojson"
)

// The release of the last commit, for the platform of this machine: that in the folder RELEASED, where `make release` has just
// written it, or one that the test writes.
func TestRelease(t *testing.T) {
	r := release{root: "../..", version: "v1.2.3-rc.1", platforms: []string{"linux/" + runtime.GOARCH}, untagged: true, out: t.TempDir()}
	if folder := os.Getenv("RELEASED"); folder != "" {
		r.out = folder
	} else if err := r.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	name := "fluentcart-gateway_1.2.3-rc.1_linux_" + runtime.GOARCH
	archive := filepath.Join(r.out, name)
	binary := t.TempDir() + "/fluentcart-gateway"

	t.Run("has the same bytes when it is built again", func(t *testing.T) {
		again := r
		again.out = t.TempDir()
		if err := again.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"SHA256SUMS", filepath.Base(r.file("provenance.intoto.json"))} {
			if diff := cmp.Diff(readAll(t, r.out)[name], readAll(t, again.out)[name]); diff != "" {
				t.Errorf("%s (-first +second):\n%s", name, diff)
			}
		}
	})
	t.Run("has an archive of files that everyone can read and root owns", func(t *testing.T) {
		var paths []string
		for header, content := range unpack(t, archive+".tar.gz") {
			path := strings.TrimPrefix(header.Name, name+"/")
			paths = append(paths, path)
			executable := path == "fluentcart-gateway"
			if executable {
				if err := os.WriteFile(binary, content, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if path == header.Name || header.Typeflag != tar.TypeReg || header.Uid != 0 || header.Gid != 0 || header.Uname != "root" ||
				executable && header.Mode != 0o755 || header.Mode != 0o755 && header.Mode != 0o644 {
				t.Errorf("%+v", header)
			}
		}
		for _, path := range []string{"fluentcart-gateway", "LICENSE", "README.md", "CHANGELOG.md", "THIRD_PARTY_LICENSES", "docs/install.md", "deploy/systemd/fluentcart-gateway.service"} {
			if !slices.Contains(paths, path) {
				t.Errorf("%s is missing", path)
			}
		}
	})
	t.Run("has a binary of its version", func(t *testing.T) {
		if output, err := exec.CommandContext(t.Context(), binary, "version").Output(); err != nil || string(output) != "fluentcart-gateway v1.2.3-rc.1\n" {
			t.Errorf("%v: %s", err, output)
		}
	})
	t.Run("has the licenses of all modules", func(t *testing.T) {
		for header, content := range unpack(t, archive+".tar.gz") {
			if strings.HasSuffix(header.Name, "/THIRD_PARTY_LICENSES") {
				for _, title := range []string{"==== google.golang.org/grpc v", "==== github.com/redis/go-redis/v9 v", "==== The Go runtime and standard library: LICENSE"} {
					if !bytes.Contains(content, []byte(title)) {
						t.Errorf("without %s", title)
					}
				}
			}
		}
	})
	t.Run("has bills of materials of the binary", func(t *testing.T) {
		hash, _, _ := strings.Cut(output(t, "sha256sum", binary), " ")
		var bom cdx.BOM
		if err := cdx.NewBOMDecoder(open(t, archive+".cdx.json"), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
			t.Fatal(err)
		}
		document, err := spdxjson.Read(open(t, archive+".spdx.json"))
		if err != nil {
			t.Fatal(err)
		}
		if (*bom.Metadata.Component.Hashes)[0].Value != hash || document.Packages[0].PackageChecksums[0].Value != hash {
			t.Errorf("the binary has the sum %s, the bills %+v and %+v", hash, *bom.Metadata.Component.Hashes, document.Packages[0].PackageChecksums)
		}
		if bom.Metadata.Component.Version != r.version || document.Packages[0].PackageVersion != r.version {
			t.Errorf("the versions are %s and %s", bom.Metadata.Component.Version, document.Packages[0].PackageVersion)
		}
	})
	t.Run("has the checksums of all files, which are the subjects of the provenance", func(t *testing.T) {
		check := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "SHA256SUMS")
		check.Dir = r.out
		if output, err := check.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
		var statement intotov1.Statement
		content := readAll(t, r.out)["fluentcart-gateway_1.2.3-rc.1_provenance.intoto.json"]
		if err := protojson.Unmarshal([]byte(content), &statement); err != nil {
			t.Fatal(err)
		}
		var provenance provenancev1.Provenance
		predicate, err := protojson.Marshal(statement.GetPredicate())
		if err == nil {
			err = protojson.Unmarshal(predicate, &provenance)
		}
		if err := errors.Join(err, statement.Validate(), provenance.Validate()); err != nil {
			t.Fatal(err)
		}
		var subjects strings.Builder
		for _, subject := range statement.GetSubject() {
			subjects.WriteString(subject.GetDigest()["sha256"] + "  " + subject.GetName() + "\n")
		}
		if diff := cmp.Diff(readAll(t, r.out)["SHA256SUMS"], subjects.String()); diff != "" {
			t.Errorf("(-SHA256SUMS +provenance)\n%s", diff)
		}
		var names []string
		for _, suffix := range []string{"image.tar", "linux_" + runtime.GOARCH + ".cdx.json", "linux_" + runtime.GOARCH + ".spdx.json", "linux_" + runtime.GOARCH + ".tar.gz", "protos.tar.gz"} {
			names = append(names, "fluentcart-gateway_1.2.3-rc.1_"+suffix)
		}
		var got []string
		for _, subject := range statement.GetSubject() {
			got = append(got, subject.GetName())
		}
		if diff := cmp.Diff(names, got); diff != "" {
			t.Error(diff)
		}
		commit := strings.TrimSpace(output(t, "git", "-C", r.root, "rev-parse", "HEAD"))
		if source := provenance.GetBuildDefinition().GetResolvedDependencies(); len(source) != 1 || source[0].GetDigest()["gitCommit"] != commit {
			t.Errorf("it was built from %v, want %s", source, commit)
		}
	})
	t.Run("has an image with the version as its name, and with the same binary", func(t *testing.T) {
		var named, same bool
		for archive := tar.NewReader(open(t, filepath.Join(r.out, "fluentcart-gateway_1.2.3-rc.1_image.tar"))); ; {
			header, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			content, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			named = named || header.Name == "index.json" && bytes.Contains(content, []byte(`"fluentcart-gateway:1.2.3-rc.1"`))
			if !bytes.HasPrefix(content, []byte("\x1f\x8b")) {
				continue // no layer
			}
			for file, content := range unpackFrom(t, bytes.NewReader(content)) {
				same = same || file.Name == "/ko-app/fluentcart-gateway" && string(content) == readAll(t, filepath.Dir(binary))["fluentcart-gateway"]
			}
		}
		if !named || !same {
			t.Errorf("the name is right: %t; the binary is the same: %t", named, same)
		}
	})
}

// readAll returns the contents of the files in a folder, by name.
func readAll(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(folder), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(folder, path))
		files[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// unpack returns the files of a compressed archive.
func unpack(t *testing.T, file string) map[*tar.Header][]byte {
	t.Helper()
	return unpackFrom(t, open(t, file))
}

func unpackFrom(t *testing.T, content io.Reader) map[*tar.Header][]byte {
	t.Helper()
	compressed, err := gzip.NewReader(content)
	if err != nil {
		t.Fatal(err)
	}
	files := map[*tar.Header][]byte{}
	for archive := tar.NewReader(compressed); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[header], err = io.ReadAll(archive); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t *testing.T, file string) io.Reader {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(content)
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return string(out)
}
