// Protos writes the API definition in a form that clients without Go can generate code from: a folder, and an archive of it
// that has the same bytes at every build.
//
//	go run ./protos <proto> <folder>
//
// The folder holds the definition without the options that only servers read, every file that it imports, those of the
// error details, and a descriptor set of the whole definition. The archive is <folder>.tar.gz.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: protos <folder of the API definition> <folder to write>")
		os.Exit(2)
	}
	if err := write(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "protos:", err)
		os.Exit(1)
	}
}

func write(ctx context.Context, source, folder string) error {
	files, err := contents(ctx, source)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(folder); err != nil { //nolint:gosec // the folder that the command line names
		return err
	}
	for _, file := range files {
		path := filepath.Join(folder, filepath.FromSlash(file.path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // for everyone to read
			return err
		}
		if err := os.WriteFile(path, file.content, 0o644); err != nil { //nolint:gosec // for everyone to read
			return err
		}
	}
	archive, err := os.Create(folder + ".tar.gz") //nolint:gosec // beside the folder that the command line names
	if err != nil {
		return err
	}
	return errors.Join(writeArchive(archive, filepath.Base(folder), files), archive.Close())
}
