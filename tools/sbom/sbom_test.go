package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
)

// The bill of the gateway's own binary is compared with the output of `go version -m`.
func TestBillHoldsAllThatGoVersionPrints(t *testing.T) {
	dir := t.TempDir()
	binary, file, spdxFile := filepath.Join(dir, "fluentcart-gateway"), filepath.Join(dir, "fluentcart-gateway.cdx.json"), filepath.Join(dir, "fluentcart-gateway.spdx.json")
	t.Setenv("CGO_ENABLED", "0") // as in the Makefile, so that the compiled packages are shared with `make build`
	output(t, "go", "-C", "../..", "build", "-trimpath", "-buildvcs=false", "-o", binary, "./cmd/fluentcart-gateway")
	if err := write(binary, file, spdxFile); err != nil {
		t.Fatal(err)
	}
	valid(t, file)
	bom := decode(t, file)
	wellFormed(t, bom)

	printed := output(t, "go", "version", "-m", binary)
	var want, got []string
	var repository, version string
	for line := range strings.Lines(printed) {
		switch fields := strings.Fields(line); {
		case len(fields) < 3: // the version of Go, or the settings
		case fields[0] == "mod":
			repository, version = fields[1], fields[2]
		case fields[0] == "dep" && strings.HasPrefix(fields[1], repository+"/"): // of the same commit, and without a sum
			want = append(want, fields[1]+" "+version+" ")
		case fields[0] == "dep":
			want = append(want, strings.Join(fields[1:], " "))
		}
	}
	if len(want) < 10 {
		t.Fatalf("only %d dependencies in:\n%s", len(want), printed)
	}
	standard := 0
	for _, component := range *bom.Components {
		if component.Name == "stdlib" {
			standard++
			if !strings.Contains(printed, ": go"+component.Version+"\n") {
				t.Errorf("the standard library is %s in:\n%s", component.Version, printed)
			}
			continue
		}
		got = append(got, strings.Join([]string{component.Name, component.Version, property(&component, namespace+"module:h1")}, " "))
	}
	if diff := cmp.Diff(want, got); diff != "" || standard != 1 {
		t.Errorf("%d standard libraries, want 1; modules (-printed +written):\n%s", standard, diff)
	}

	content, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	if hashes := *bom.Metadata.Component.Hashes; len(hashes) != 1 || hashes[0].Value != hex.EncodeToString(sum[:]) {
		t.Errorf("the binary's hash is not in %+v", hashes)
	}
	if got := property(bom.Metadata.Component, namespace+"build:-trimpath"); got != "true" {
		t.Errorf("-trimpath is %q", got)
	}

	sameAsCycloneDX(t, spdxFile, bom)

	again, spdxAgain := filepath.Join(dir, "again.cdx.json"), filepath.Join(dir, "again.spdx.json")
	if err := write(binary, again, spdxAgain); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, file), read(t, again)) || !bytes.Equal(read(t, spdxFile), read(t, spdxAgain)) {
		t.Error("the same binary gave other bytes")
	}
}

func TestCommitTagsAndReplacementsAreNamed(t *testing.T) {
	bom, err := materials(&buildinfo.BuildInfo{
		GoVersion: "go1.26.11 X:nodwarf5",
		Path:      "example.com/Shop/gateway/cmd/gateway",
		Main:      debug.Module{Path: "example.com/Shop/gateway", Version: "v1.2.3+dirty"},
		Deps: []*debug.Module{
			{Path: "example.com/a", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/fork", Version: "v1.0.1", Sum: "h1:x"}},
			{Path: "example.com/Shop/gateway/gen", Version: "v0.0.0", Replace: &debug.Module{Path: "./gen"}},
		},
		Settings: []debug.BuildSetting{
			{Key: "-tags", Value: "one,two"},
			{Key: "CGO_ENABLED", Value: "0"},
			{Key: "vcs.revision", Value: "abc"},
		},
	}, strings.Repeat("0", 64))
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, bom)
	program := bom.Metadata.Component
	if want := "pkg:golang/example.com/shop/gateway@v1.2.3%2Bdirty#cmd/gateway"; program.PackageURL != want {
		t.Errorf("the program is %s, want %s", program.PackageURL, want)
	}
	want := []cdx.Property{
		{Name: "cdx:gomod:build:env:GOVERSION", Value: "go1.26.11 X:nodwarf5"},
		{Name: "cdx:gomod:build:tag", Value: "one"},
		{Name: "cdx:gomod:build:tag", Value: "two"},
		{Name: "cdx:gomod:build:env:CGO_ENABLED", Value: "0"},
		{Name: "fluentcart-gateway:build:vcs.revision", Value: "abc"},
	}
	if diff := cmp.Diff(want, *program.Properties); diff != "" {
		t.Error(diff)
	}
	var purls []string
	for _, component := range *bom.Components {
		purls = append(purls, component.PackageURL)
	}
	own := "pkg:golang/example.com/shop/gateway/gen@v1.2.3%2Bdirty" // of the same commit
	if diff := cmp.Diff([]string{"pkg:golang/stdlib@1.26.11", "pkg:golang/example.com/fork@v1.0.1", own}, purls); diff != "" {
		t.Error(diff)
	}
	if got := property(&(*bom.Components)[1], namespace+"module:replaces"); got != "example.com/a@v1.0.0" {
		t.Errorf("it replaces %q", got)
	}
}

func TestBinaryThatReadersCannotCheckIsRejected(t *testing.T) {
	_, err := materials(&buildinfo.BuildInfo{
		Deps: []*debug.Module{{Path: "example.com/a", Version: "v1.0.0", Replace: &debug.Module{Path: "../a"}}},
	}, "")
	if err == nil || !strings.Contains(err.Error(), "../a") {
		t.Errorf("got %v", err)
	}
	file := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := write(file, file+".cdx.json", file+".spdx.json"); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
}

// wellFormed checks a bill by the rules of CycloneDX 1.6 and of purl that readers rely on.
func wellFormed(t *testing.T, bom *cdx.BOM) {
	t.Helper()
	if bom.BOMFormat != "CycloneDX" || bom.Version != 1 {
		t.Errorf("%s, version %d", bom.BOMFormat, bom.Version)
	}
	if bom.Metadata.Timestamp != "" || bom.SerialNumber != "" {
		t.Error("cdx:reproducible forbids times and random numbers")
	}
	all := append([]cdx.Component{*bom.Metadata.Component}, *bom.Components...)
	form := regexp.MustCompile(`^pkg:golang/[a-z0-9.%~_/-]+(@[A-Za-z0-9.%~_-]+)?(#[A-Za-z0-9.%~_/-]+)?$`)
	var references []string
	for _, component := range all {
		references = append(references, component.BOMRef)
		if component.Name == "" || component.Type == "" || !form.MatchString(component.PackageURL) {
			t.Errorf("%+v lacks a name, a type or a well-formed purl", component)
		}
		if component.Properties != nil && slices.ContainsFunc(*component.Properties, func(p cdx.Property) bool { return p.Name == "" }) {
			t.Errorf("%s has a property without a name", component.Name)
		}
	}
	graph := *bom.Dependencies
	if len(graph) != 1 || graph[0].Ref != references[0] {
		t.Fatalf("the graph is %+v", graph)
	}
	if diff := cmp.Diff(references[1:], *graph[0].Dependencies); diff != "" {
		t.Errorf("the program does not need all components:\n%s", diff)
	}
	slices.Sort(references)
	if unique := slices.Compact(slices.Clone(references)); len(unique) != len(references) {
		t.Errorf("a bom-ref is there twice: %v", references)
	}
}

func property(component *cdx.Component, name string) string {
	if component.Properties == nil {
		return ""
	}
	for _, p := range *component.Properties {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

func decode(t *testing.T, file string) *cdx.BOM {
	t.Helper()
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(read(t, file)), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if bom.SpecVersion != cdx.SpecVersion1_6 {
		t.Errorf("CycloneDX %s", bom.SpecVersion)
	}
	return &bom
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	printed, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return string(printed)
}
