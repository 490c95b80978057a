package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// packedFile is a file of an archive.
type packedFile struct {
	name    string // with slashes
	content []byte
	mode    int64
}

// packed returns the files of the archive for a system: the binary and its documentation, and how to deploy it on Linux.
func packed(ctx context.Context, s *source, system string) ([]packedFile, error) {
	paths := []string{"LICENSE", "README.md", "CHANGELOG.md", "docs"}
	if system == "linux" {
		paths = append(paths, "deploy", ":!deploy/Dockerfile") // which needs the source
	}
	listed, err := git(ctx, s.folder, append([]string{"ls-files", "-z", "--"}, paths...)...)
	if err != nil {
		return nil, err
	}
	binary, err := os.ReadFile(filepath.Join(s.folder, "bin", "fluentcart-gateway"))
	if err != nil {
		return nil, err
	}
	files := []packedFile{{name: "fluentcart-gateway", content: binary, mode: 0o755}}
	for name := range strings.SplitSeq(strings.TrimSuffix(listed, "\x00"), "\x00") {
		file := filepath.Join(s.folder, filepath.FromSlash(name))
		info, err := os.Stat(file)
		if err != nil {
			return nil, err
		}
		content, err := os.ReadFile(file) //nolint:gosec // a file that git tracks
		if err != nil {
			return nil, err
		}
		mode := int64(0o644)
		if info.Mode()&0o100 != 0 {
			mode = 0o755
		}
		files = append(files, packedFile{name: name, content: content, mode: mode})
	}
	return files, nil
}

// writeArchive writes the files below a folder. They have the time of the commit, and root as their owner.
func writeArchive(file, folder string, files []packedFile, created time.Time) error {
	out, err := os.Create(file) //nolint:gosec // a file of the release
	if err != nil {
		return err
	}
	compressed := gzip.NewWriter(out)
	archive := tar.NewWriter(compressed)
	for _, file := range files {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: path.Join(folder, file.name), Size: int64(len(file.content)), Mode: file.mode,
			Uname: "root", Gname: "root", ModTime: created, Format: tar.FormatUSTAR,
		}
		if err := archive.WriteHeader(header); err != nil {
			return errors.Join(err, out.Close())
		}
		if _, err := archive.Write(file.content); err != nil {
			return errors.Join(err, out.Close())
		}
	}
	return errors.Join(archive.Close(), compressed.Close(), out.Close())
}
