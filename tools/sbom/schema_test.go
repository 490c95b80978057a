package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// valid checks a file by the published schema of CycloneDX 1.6, which is part of the pinned module.
func valid(t *testing.T, file string) {
	t.Helper()
	folder := filepath.Join(strings.TrimSpace(output(t, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go")), "schema")
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	const published = "http://cyclonedx.org/schema/"
	for name, stored := range map[string]string{
		"bom-1.6.schema.json":  "bom-1.6.schema.json",
		"spdx.schema.json":     "spdx.schema.json",
		"jsf-0.82.schema.json": "jsf-0.82.schemax.json",
	} {
		if err := compiler.AddResource(published+name, unmarshal(t, filepath.Join(folder, stored))); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := compiler.Compile(published + "bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(unmarshal(t, file)); err != nil {
		t.Error(err)
	}
	if schema.Validate(map[string]any{"bomFormat": "CycloneDX"}) == nil {
		t.Error("the schema accepts a bill without a version of its format")
	}
}

func unmarshal(t *testing.T, file string) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(read(t, file)))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return value
}
