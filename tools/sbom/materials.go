package main

import (
	"debug/buildinfo"
	"fmt"
	"path"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// namespace prefixes the properties for which CycloneDX's own taxonomy has no name.
const namespace = "fluentcart-gateway:"

// materials returns the bill of materials of a binary in CycloneDX, which has a taxonomy for Go's build settings. The bill in SPDX
// is made from it.
//
// The bill holds only facts from the binary. It has no time and no serial number, which would differ with each run. Its
// dependency graph says only that the program depends on all modules, because the binary does not record which module
// depends on which.
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
		component, err := library(ofRepository(dependency, info.Main))
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

// standardLibrary returns the component under the name that it has in the Go vulnerability database.
func standardLibrary(goVersion string) cdx.Component {
	version, _, _ := strings.Cut(strings.TrimPrefix(goVersion, "go"), " ") // the names of experiments may follow
	purl := packageURL("stdlib", version, "")
	return cdx.Component{BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: "stdlib", Version: version, PackageURL: purl}
}

// ofRepository gives a module below the main one, which a relative directory replaces, the version of the main one: both are
// the same commit.
func ofRepository(module *debug.Module, main debug.Module) *debug.Module {
	if module.Replace == nil || "./"+strings.TrimPrefix(module.Path, main.Path+"/") != module.Replace.Path {
		return module
	}
	return &debug.Module{Path: module.Path, Version: main.Version}
}

// library returns a module's component, with the sum from go.sum as a property and not as a hash. The sum is computed over
// the names and sums of the module's files: as a hash, it would never match the archive that a reader downloads.
func library(module *debug.Module) (cdx.Component, error) {
	var properties []cdx.Property
	if module.Replace != nil {
		if module.Replace.Version == "" {
			return cdx.Component{}, fmt.Errorf("%s is replaced by the directory %s, whose contents no reader of the bill can check: build without the replacement", module.Path, module.Replace.Path)
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

// settings returns the build settings, with the commit.
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
