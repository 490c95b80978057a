package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// repository is where the source of the program is.
const repository = "https://github.com/fluentcart-gateway/fluentcart-gateway"

// unknown is SPDX's word for a fact that the binary does not hold, such as the licences of modules.
const unknown = "NOASSERTION"

// writeSPDX writes the contents of a CycloneDX bill in SPDX 2.3. SPDX also requires a time and a unique name: they are the
// time of the commit, or SOURCE_DATE_EPOCH, and the sum of the binary.
func writeSPDX(file string, bom *cdx.BOM) error {
	program := bom.Metadata.Component
	created, err := creationTime(program)
	if err != nil {
		return err
	}
	document := &spdx.Document{
		SPDXVersion:       spdx.Version,
		DataLicense:       spdx.DataLicense,
		SPDXIdentifier:    "DOCUMENT",
		DocumentName:      program.Name,
		DocumentNamespace: fmt.Sprintf("%s/sbom/%s-%s", repository, program.Name, (*program.Hashes)[0].Value),
		CreationInfo: &spdx.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: (*bom.Metadata.Tools.Components)[0].Name}},
			Created:  created.UTC().Format(time.RFC3339),
		},
		Packages:      []*spdx.Package{spdxPackage(program, "APPLICATION")},
		Relationships: []*spdx.Relationship{relationship("DOCUMENT", common.TypeRelationshipDescribe, identifier(program))},
	}
	document.Packages[0].PackageLicenseDeclared = "Apache-2.0"
	if commit := setting(program, "vcs.revision"); commit != "" {
		document.Packages[0].PackageDownloadLocation = "git+" + repository + ".git@" + commit
	}
	for _, component := range *bom.Components {
		document.Packages = append(document.Packages, spdxPackage(&component, "LIBRARY"))
		document.Relationships = append(document.Relationships, relationship(identifier(program), common.TypeRelationshipDependsOn, identifier(&component)))
	}
	var out bytes.Buffer
	if err := spdxjson.Write(document, &out, spdxjson.Indent("  "), spdxjson.EscapeHTML(false)); err != nil {
		return err
	}
	return os.WriteFile(file, out.Bytes(), 0o644) //nolint:gosec // a bill of materials is public
}

func spdxPackage(component *cdx.Component, purpose string) *spdx.Package {
	described := &spdx.Package{
		PackageName:             component.Name,
		PackageSPDXIdentifier:   identifier(component),
		PackageVersion:          component.Version,
		PrimaryPackagePurpose:   purpose,
		PackageDownloadLocation: unknown,
		PackageLicenseConcluded: unknown,
		PackageLicenseDeclared:  unknown,
		PackageCopyrightText:    unknown,
		PackageExternalReferences: []*spdx.PackageExternalReference{
			{Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: component.PackageURL},
		},
	}
	if component.Hashes != nil {
		for _, hash := range *component.Hashes {
			described.PackageChecksums = append(described.PackageChecksums, common.Checksum{Algorithm: common.SHA256, Value: hash.Value})
		}
	}
	return described
}

// identifier names a package within the document, in the letters that SPDX allows.
func identifier(component *cdx.Component) common.ElementID {
	name := component.Name + "-" + component.Version
	return common.ElementID("Package-" + regexp.MustCompile(`[^A-Za-z0-9.]+`).ReplaceAllString(name, "-"))
}

func relationship(from common.ElementID, kind string, to common.ElementID) *spdx.Relationship {
	return &spdx.Relationship{RefA: common.MakeDocElementID("", string(from)), Relationship: kind, RefB: common.MakeDocElementID("", string(to))}
}

// creationTime is the time of SOURCE_DATE_EPOCH, or that of the commit, or the beginning of Unix time if the binary has none.
func creationTime(program *cdx.Component) (time.Time, error) {
	if text := os.Getenv("SOURCE_DATE_EPOCH"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		return time.Unix(seconds, 0), nil
	}
	return time.Parse(time.RFC3339, cmp.Or(setting(program, "vcs.time"), "1970-01-01T00:00:00Z"))
}

// setting returns a build setting of the program.
func setting(program *cdx.Component, key string) string {
	for _, property := range *program.Properties {
		if property.Name == namespace+"build:"+key {
			return property.Value
		}
	}
	return ""
}
