// Release writes all files of a release into a folder: an archive for each platform with its bills of materials, the API for
// clients in any language, the image, the checksums, and a statement of provenance. The same commit gives the same bytes.
//
//	go run ./release [flags] <root of the repository> <version>
//
// It builds the last commit in a clone, so that nothing that is not committed gets in.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// release says what is released.
type release struct {
	root      string
	version   string // with the v
	platforms []string
	untagged  bool
	out       string
}

func main() {
	r := release{}
	platforms := flag.String("platforms", "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64", "platforms, separated by commas")
	flag.BoolVar(&r.untagged, "untagged", false, "release a commit without a tag, of a work tree with changes, which are left out")
	flag.StringVar(&r.out, "out", "", "folder to write, whose former contents are deleted (default bin/release below the root)")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: release [flags] <root of the repository> <version>")
		flag.PrintDefaults()
		os.Exit(2)
	}
	r.root, r.version, r.platforms = flag.Arg(0), flag.Arg(1), strings.Split(*platforms, ",")
	if r.out == "" {
		r.out = filepath.Join(r.root, "bin", "release")
	}
	if err := r.run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// run writes the files.
func (r *release) run(ctx context.Context) error {
	if err := r.check(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(r.out); err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil { //nolint:gosec // for everyone to read
		return err
	}
	source, remove, err := r.clone(ctx)
	if err != nil {
		return err
	}
	defer remove()
	for _, platform := range r.platforms {
		if err := r.archive(ctx, source, platform); err != nil {
			return fmt.Errorf("%s: %w", platform, err)
		}
	}
	if err := r.protos(ctx, source); err != nil {
		return err
	}
	if err := r.image(ctx, source); err != nil {
		return err
	}
	sums, err := r.writeSums()
	if err != nil {
		return err
	}
	return r.writeProvenance(source, sums)
}

// file returns the path of a file of the release, fluentcart-gateway_0.1.0_<suffix>.
func (r *release) file(suffix string) string {
	return filepath.Join(r.out, fmt.Sprintf("fluentcart-gateway_%s_%s", strings.TrimPrefix(r.version, "v"), suffix))
}
