package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/pem"
	"io"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/ko/pkg/build"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// user is the account of the gateway, that of distroless images too. It is a number, so that Kubernetes can see that it is not root.
const user = "65532:65532"

// scratch is the reference of the base that is made here. No registry has it.
type scratch struct{ name.Reference }

// Name is the value of the label org.opencontainers.image.base.name.
func (scratch) Name() string { return "scratch" }

// ownBase returns a base image, for each platform, that needs no registry: its files are made here, and the CA certificates are
// Mozilla's in a pinned module.
func ownBase(platforms []v1.Platform) build.GetBase {
	return func(context.Context, string) (name.Reference, build.Result, error) {
		var content bytes.Buffer
		if err := writeBase(&content); err != nil {
			return nil, nil, err
		}
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(content.Bytes())), nil
		}, tarball.WithMediaType(types.OCILayer))
		if err != nil {
			return nil, nil, err
		}
		index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
		for _, platform := range platforms {
			image, err := mutate.Append(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON),
				mutate.Addendum{Layer: layer, History: v1.History{Created: v1.Time{Time: time.Unix(0, 0).UTC()}, CreatedBy: "tools/image", Comment: "CA certificates and accounts"}})
			if err != nil {
				return nil, nil, err
			}
			config, err := image.ConfigFile()
			if err != nil {
				return nil, nil, err
			}
			config = config.DeepCopy()
			config.OS, config.Architecture, config.Variant = platform.OS, platform.Architecture, platform.Variant
			if image, err = mutate.ConfigFile(image, config); err != nil {
				return nil, nil, err
			}
			index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &platform}})
		}
		return scratch{}, index, nil
	}
}

// registryBase returns a base image of a registry.
func registryBase(ctx context.Context, reference string) build.GetBase {
	return func(context.Context, string) (name.Reference, build.Result, error) {
		parsed, err := name.ParseReference(reference)
		if err != nil {
			return nil, nil, err
		}
		descriptor, err := remote.Get(parsed, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
		if err != nil {
			return nil, nil, err
		}
		if descriptor.MediaType.IsIndex() {
			index, err := descriptor.ImageIndex()
			return parsed, index, err
		}
		image, err := descriptor.Image()
		return parsed, image, err
	}
}

// writeBase writes the files of the base as a tar archive.
func writeBase(w io.Writer) error {
	archive := tar.NewWriter(w)
	for _, entry := range []struct {
		path    string // of a folder if it ends with a slash
		mode    int64
		content string
	}{
		{path: "etc/", mode: 0o755},
		{path: "etc/passwd", mode: 0o644, content: "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n"},
		{path: "etc/group", mode: 0o644, content: "root:x:0:\nnonroot:x:65532:\n"},
		{path: "etc/nsswitch.conf", mode: 0o644, content: "hosts: files dns\n"},
		{path: "etc/ssl/", mode: 0o755},
		{path: "etc/ssl/certs/", mode: 0o755},
		{path: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: certificates()},
		{path: "tmp/", mode: 0o1777},
	} {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: entry.path, Mode: entry.mode, Size: int64(len(entry.content))}
		if strings.HasSuffix(entry.path, "/") {
			header.Typeflag = tar.TypeDir
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.WriteString(archive, entry.content); err != nil {
			return err
		}
	}
	return archive.Close()
}

// certificates returns Mozilla's root certificates in PEM. As on Debian, those that are trusted only for certificates from before a
// date are among them.
func certificates() string {
	var out strings.Builder
	for root := range bundle.Roots() {
		_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a Builder takes all
	}
	return out.String()
}
