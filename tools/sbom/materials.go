package main

import (
	"debug/buildinfo"
	"fmt"
	"path"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// namespace is for the properties that CycloneDX's own taxonomy has no name for.
const namespace = "fluentcart-gateway:"

// materials is CycloneDX rather than SPDX: it names packages by purl, which is what databases of vulnerabilities are
// asked for, and has a taxonomy for what Go tells of a build. SPDX wants a time, a document's address and a licence
// for each package, none of which is in the binary.
//
// Nothing is in it that the binary does not say: no time and no serial number, which would differ each time, and of the
// graph of dependencies only that the program has them all. Which of them needs which is not told.
func materials(info *buildinfo.BuildInfo, sha256 string) (*cdx.BOM, error) {
	program := cdx.Component{
		Type:       cdx.ComponentTypeApplication,
		Name:       path.Base(info.Path),
		Version:    info.Main.Version,
		PackageURL: packageURL(info.Main.Path, info.Main.Version, strings.TrimPrefix(info.Path, info.Main.Path)),
		Hashes:     &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: sha256}},
		Properties: settings(info),
	}
	program.BOMRef = program.PackageURL

	components := []cdx.Component{standardLibrary(info.GoVersion)}
	for _, dependency := range info.Deps {
		component, err := library(dependency)
		if err != nil {
			return nil, err
		}
		components = append(components, component)
	}
	needs := make([]string, 0, len(components))
	for _, component := range components {
		needs = append(needs, component.BOMRef)
	}

	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{
		Lifecycles: &[]cdx.Lifecycle{{Phase: cdx.LifecyclePhasePostBuild}},
		Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{
			{Type: cdx.ComponentTypeApplication, Name: "github.com/fluentcart-gateway/fluentcart-gateway/tools/sbom"},
		}},
		Component:  &program,
		Properties: &[]cdx.Property{{Name: "cdx:reproducible", Value: "true"}},
	}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: program.BOMRef, Dependencies: &needs}}
	return bom, nil
}

// standardLibrary has the name that the Go vulnerability database gives it.
func standardLibrary(goVersion string) cdx.Component {
	version, _, _ := strings.Cut(strings.TrimPrefix(goVersion, "go"), " ") // experiments follow
	purl := packageURL("stdlib", version, "")
	return cdx.Component{BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: "stdlib", Version: version, PackageURL: purl}
}

// library keeps the sum of go.sum in a property. It is a sum over the names and sums of a module's files, and would
// look like a forgery to whoever compared it, as a hash of the component, with the file they downloaded.
func library(module *debug.Module) (cdx.Component, error) {
	var properties []cdx.Property
	if module.Replace != nil {
		if module.Replace.Version == "" {
			return cdx.Component{}, fmt.Errorf("%s is replaced by the directory %s, and nobody else can tell what is in it: build without the replacement", module.Path, module.Replace.Path)
		}
		properties = append(properties, cdx.Property{Name: namespace + "module:replaces", Value: module.Path + "@" + module.Version})
		module = module.Replace
	}
	if module.Sum != "" {
		properties = append(properties, cdx.Property{Name: namespace + "module:h1", Value: module.Sum})
	}
	purl := packageURL(module.Path, module.Version, "")
	return cdx.Component{
		BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: module.Path, Version: module.Version, PackageURL: purl,
		Properties: &properties,
	}, nil
}

// settings are how the program was built, and from which commit.
func settings(info *buildinfo.BuildInfo) *[]cdx.Property {
	properties := []cdx.Property{{Name: "cdx:gomod:build:env:GOVERSION", Value: info.GoVersion}}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "GOOS", "GOARCH", "CGO_ENABLED":
			properties = append(properties, cdx.Property{Name: "cdx:gomod:build:env:" + setting.Key, Value: setting.Value})
		case "-tags":
			for tag := range strings.SplitSeq(setting.Value, ",") {
				properties = append(properties, cdx.Property{Name: "cdx:gomod:build:tag", Value: tag})
			}
		default:
			properties = append(properties, cdx.Property{Name: namespace + "build:" + setting.Key, Value: setting.Value})
		}
	}
	return &properties
}
