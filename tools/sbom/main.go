// Sbom writes a bill of materials for a Go binary, in CycloneDX and in SPDX. It reads the build information in the binary,
// which `go version -m` also prints. The same binary gives the same bytes.
//
//	go run ./sbom <binary> <CycloneDX file to write> <SPDX file to write>
package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"os"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: sbom <binary> <CycloneDX file to write> <SPDX file to write>")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func write(binary, cycloneFile, spdxFile string) error {
	content, err := os.ReadFile(binary) //nolint:gosec // the file that the command line names
	if err != nil {
		return err
	}
	info, err := buildinfo.Read(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("%s: %w", binary, err)
	}
	sum := sha256.Sum256(content)
	bom, err := materials(info, hex.EncodeToString(sum[:]))
	if err != nil {
		return fmt.Errorf("%s: %w", binary, err)
	}
	if err := writeSPDX(spdxFile, bom); err != nil {
		return err
	}
	var out bytes.Buffer
	encoder := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false)
	if err := encoder.EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return err
	}
	return os.WriteFile(cycloneFile, out.Bytes(), 0o644) //nolint:gosec // a bill of materials is public
}
