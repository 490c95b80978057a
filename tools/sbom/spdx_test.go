package main

import (
	"bytes"
	"regexp"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdxlib"
)

// sameAsCycloneDX checks a bill in SPDX by the rules of SPDX 2.3, and that it has the packages of the bill in CycloneDX.
func sameAsCycloneDX(t *testing.T, file string, bom *cdx.BOM) {
	t.Helper()
	document, err := spdxjson.Read(bytes.NewReader(read(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	if err := spdxlib.ValidateDocument(document); err != nil {
		t.Error(err)
	}
	if document.SPDXVersion != "SPDX-2.3" || document.DataLicense != "CC0-1.0" || document.SPDXIdentifier != "DOCUMENT" || document.DocumentName == "" {
		t.Errorf("%s, %s, %s, %q", document.SPDXVersion, document.DataLicense, document.SPDXIdentifier, document.DocumentName)
	}
	if !regexp.MustCompile(`^https://[^#]+-[0-9a-f]{64}$`).MatchString(document.DocumentNamespace) {
		t.Errorf("the namespace is %s", document.DocumentNamespace)
	}
	if _, err := time.Parse("2006-01-02T15:04:05Z", document.CreationInfo.Created); err != nil {
		t.Error(err)
	}
	described, err := spdxlib.GetDescribedPackageIDs(document)
	if err != nil || len(described) != 1 || described[0] != document.Packages[0].PackageSPDXIdentifier {
		t.Errorf("it describes %v: %v", described, err)
	}
	var want, got []string
	for _, component := range append([]cdx.Component{*bom.Metadata.Component}, *bom.Components...) {
		want = append(want, component.Name+" "+component.Version+" "+component.PackageURL)
	}
	form, seen := regexp.MustCompile(`^[A-Za-z0-9.-]+$`), map[common.ElementID]bool{}
	for _, pack := range document.Packages {
		got = append(got, pack.PackageName+" "+pack.PackageVersion+" "+pack.PackageExternalReferences[0].Locator)
		if id := pack.PackageSPDXIdentifier; seen[id] || !form.MatchString(string(id)) {
			t.Errorf("%s is there twice, or has letters that SPDX does not allow", id)
		}
		seen[pack.PackageSPDXIdentifier] = true
		if pack.PackageDownloadLocation == "" || pack.PackageLicenseConcluded == "" || pack.PackageLicenseDeclared == "" || pack.PackageCopyrightText == "" || pack.FilesAnalyzed {
			t.Errorf("%+v", pack)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-CycloneDX +SPDX)\n%s", diff)
	}
	if sums := document.Packages[0].PackageChecksums; len(sums) != 1 || sums[0].Value != (*bom.Metadata.Component.Hashes)[0].Value {
		t.Errorf("the binary's sum is not in %+v", sums)
	}
	if len(document.Relationships) != len(document.Packages) { // the document's, and one to each library
		t.Errorf("%d relationships of %d packages", len(document.Relationships), len(document.Packages))
	}
}
