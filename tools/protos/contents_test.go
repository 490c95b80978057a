package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/descriptorpb"
)

func TestDescriptorSetIsWhole(t *testing.T) {
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal([]byte(folder(t)[descriptorSet]), set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(set) // it fails if an import is missing
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range original {
		got, err := files.FindFileByPath(want.Path())
		if err != nil {
			t.Fatal(err)
		}
		definition := protodesc.ToFileDescriptorProto(got)
		definition.SourceCodeInfo = nil
		if diff := cmp.Diff(protodesc.ToFileDescriptorProto(want), definition, protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
		comment := got.SourceLocations().ByDescriptor(got.Messages().Get(0)).LeadingComments
		if !strings.HasPrefix(comment, " ") {
			t.Errorf("%s has no comments", want.Path())
		}
	}
	if _, err := files.FindDescriptorByName("google.rpc.ErrorInfo"); err != nil {
		t.Error(err)
	}
}

func TestArchiveHasTheSameBytesWhereverItIsWritten(t *testing.T) {
	var archives [2][]byte
	for i := range archives {
		dir := filepath.Join(t.TempDir(), "protos")
		if err := os.MkdirAll(filepath.Join(dir, "stale"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := write(t.Context(), source, dir); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "stale")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("what the folder held before is kept: %v", err)
		}
		content, err := os.ReadFile(dir + ".tar.gz")
		if err != nil {
			t.Fatal(err)
		}
		archives[i] = content
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("the archives differ")
	}

	uncompressed, err := gzip.NewReader(bytes.NewReader(archives[0]))
	if err != nil {
		t.Fatal(err)
	}
	got, names := map[string]string{}, []string{}
	for archive := tar.NewReader(uncompressed); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(header.Name, "protos/")
		got[name], names = string(content), append(names, name)
	}
	if diff := cmp.Diff(folder(t), got); diff != "" {
		t.Error(diff)
	}
	if !slices.IsSorted(names) {
		t.Errorf("not sorted: %q", names)
	}
}

func TestSourceWithoutDefinitionsIsAnError(t *testing.T) {
	if _, err := contents(t.Context(), t.TempDir()); err == nil {
		t.Error("no error")
	}
}
