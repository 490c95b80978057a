package main

import (
	"os"
	"testing"

	"golang.org/x/tools/go/packages"
)

// Type-checking finds what keeps the gateway from compiling on another system, in a tenth of the time of a build. The release of a
// tag builds for all platforms.
func TestGatewayTypeChecksOnDarwin(t *testing.T) {
	config := &packages.Config{
		Context: t.Context(),
		Mode:    packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedTypesSizes,
		Dir:     "../..",
		Env:     append(os.Environ(), "GOOS=darwin", "GOARCH=arm64", "CGO_ENABLED=0"),
	}
	loaded, err := packages.Load(config, "./cmd/fluentcart-gateway")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	packages.Visit(loaded, nil, func(pkg *packages.Package) {
		checked++
		for _, problem := range pkg.Errors {
			t.Errorf("%s: %s", pkg.PkgPath, problem)
		}
	})
	if checked < 200 {
		t.Errorf("only %d packages were checked", checked)
	}
}
