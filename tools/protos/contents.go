package main

import (
	"context"
	_ "embed"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile/wellknownimports"
	"github.com/jhump/protoreflect/v2/protoprint"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
)

// file is a file of the folder.
type file struct {
	path    string // with slashes
	content []byte
}

const descriptorSet = "fluentcart-gateway.binpb"

//go:embed README.md
var readme []byte

// The comments at the top of the files that are printed, and of which source is not at hand.
const (
	ownHeader = `// The API of fluentcart-gateway, for generating clients. It has the encoding and the JSON of the gateway's own definition. The
// options that only servers read are left out (validation, redaction, HTTP and OpenAPI): the comments give the limits.

`
	googleHeader = `// From googleapis, of Google LLC, under the Apache License, Version 2.0. Printed from compiled descriptors, without comments.

`
)

// contents returns the files of the folder, sorted by path.
func contents(ctx context.Context, source string) ([]file, error) {
	compiled, err := compile(ctx, source)
	if err != nil {
		return nil, err
	}
	// The gateway and googleapis have the same license.
	license, err := os.ReadFile(filepath.Join(source, "..", "LICENSE")) //nolint:gosec // the folder that the command line names
	if err != nil {
		return nil, err
	}
	protobufLicense, err := licenseOfProtobuf()
	if err != nil {
		return nil, err
	}
	set, err := proto.MarshalOptions{Deterministic: true}.Marshal(&descriptorpb.FileDescriptorSet{File: compiled})
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{
		"README.md":               readme,
		"LICENSE":                 license,
		"google/protobuf/LICENSE": protobufLicense,
		descriptorSet:             set,
	}
	if err := addSources(files, portable(compiled)); err != nil {
		return nil, err
	}
	sorted := make([]file, 0, len(files))
	for _, path := range slices.Sorted(maps.Keys(files)) {
		sorted = append(sorted, file{path, files[path]})
	}
	return sorted, nil
}

// licenseOfProtobuf returns the license of google/protobuf, which most of its files have as their header. The others refer to
// a file.
func licenseOfProtobuf() ([]byte, error) {
	const name = "google/protobuf/timestamp.proto"
	content, err := fs.ReadFile(wellknownimports.FS(), name)
	if err != nil {
		return nil, err
	}
	header, _, _ := strings.Cut(string(content), "\nsyntax")
	if !strings.Contains(header, "Redistribution and use in source and binary forms") {
		return nil, fmt.Errorf("%s does not begin with its license", name)
	}
	var license strings.Builder
	for line := range strings.Lines(header) {
		line = strings.TrimPrefix(line, "//")
		license.WriteString(strings.TrimPrefix(line, " "))
	}
	return []byte(license.String()), nil
}

// addSources adds the text of each definition: of google/protobuf as its project publishes it, of all others as printed.
func addSources(files map[string][]byte, definitions []*descriptorpb.FileDescriptorProto) error {
	linked, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: definitions})
	if err != nil {
		return err
	}
	printer := &protoprint.Printer{}
	for _, definition := range definitions {
		path := definition.GetName()
		if strings.HasPrefix(path, "google/protobuf/") {
			if files[path], err = fs.ReadFile(wellknownimports.FS(), path); err != nil {
				return err
			}
			continue
		}
		header := ownHeader
		if strings.HasPrefix(path, "google/") {
			header = googleHeader
		}
		descriptor, err := linked.FindFileByPath(path)
		if err != nil {
			return err
		}
		text, err := printer.PrintProtoToString(descriptor)
		if err != nil {
			return err
		}
		files[path] = []byte(header + text)
	}
	return nil
}
