package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"path"
	"time"
)

// writeArchive writes the files, which are sorted, below a folder. Every file has the same time, owner and mode, so that the
// archive's bytes depend on nothing but the files.
func writeArchive(w io.Writer, folder string, files []file) error {
	compressed := gzip.NewWriter(w)
	archive := tar.NewWriter(compressed)
	for _, file := range files {
		header := &tar.Header{
			Typeflag: tar.TypeReg,
			Name:     path.Join(folder, file.path),
			Size:     int64(len(file.content)),
			Mode:     0o644,
			ModTime:  time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC),
			Format:   tar.FormatUSTAR,
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(file.content); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), compressed.Close())
}
