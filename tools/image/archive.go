package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// named returns the index of an archive, which has the image under a name.
func named(index v1.ImageIndex, tag string) v1.ImageIndex {
	return mutate.AppendManifests(empty.Index, mutate.IndexAddendum{
		Add:        index,
		Descriptor: v1.Descriptor{Annotations: map[string]string{"org.opencontainers.image.ref.name": tag, "io.containerd.image.name": "fluentcart-gateway:" + tag}},
	})
}

// writeArchive writes a folder as a tar archive, in the order of the names, without times and owners.
func writeArchive(folder, file string) error {
	out, err := os.Create(file) //nolint:gosec // the file that the command line names
	if err != nil {
		return err
	}
	archive := tar.NewWriter(out)
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return addFile(archive, folder, path)
	})
	return errors.Join(err, archive.Close(), out.Close())
}

func addFile(archive *tar.Writer, folder, path string) error {
	relative, err := filepath.Rel(folder, path)
	if err != nil {
		return err
	}
	content, err := os.Open(path) //nolint:gosec // a file that was written before
	if err != nil {
		return err
	}
	defer content.Close() //nolint:errcheck // it was only read
	info, err := content.Stat()
	if err != nil {
		return err
	}
	if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: filepath.ToSlash(relative), Mode: 0o644, Size: info.Size()}); err != nil {
		return err
	}
	_, err = io.Copy(archive, content)
	return err
}

// send writes the image to a registry.
func send(ctx context.Context, index v1.ImageIndex, reference string) error {
	parsed, err := name.ParseReference(reference)
	if err != nil {
		return err
	}
	if err := remote.WriteIndex(parsed, index, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return fmt.Errorf("%s: %w", reference, err)
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	log.Printf("sent %s@%s", reference, digest)
	return nil
}
