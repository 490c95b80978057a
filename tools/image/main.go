// Image builds the container image of the gateway by ko, without Docker, and writes it as an OCI archive. The same commit gives
// the same bytes on any machine.
//
//	go run . [flags] <file to write>
//
// With -push it also sends the image to a registry, with the credentials of `docker login`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/layout"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("image: ")
	options := options{}
	flag.StringVar(&options.root, "root", "../..", "root of the repository")
	platforms := flag.String("platforms", "linux/amd64,linux/arm64", "platforms, separated by commas")
	flag.StringVar(&options.version, "version", "", "version for the label and the name; without it the image is named latest")
	flag.StringVar(&options.base, "base", "", "base image in a registry; without it the base is made here: CA certificates and the account of the gateway")
	push := flag.String("push", "", "repository in a registry to send the image to as well, such as registry.example.com/fluentcart-gateway")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: image [flags] <file to write>")
		flag.PrintDefaults()
		os.Exit(2)
	}
	options.platforms = strings.Split(*platforms, ",")
	if err := run(context.Background(), options, flag.Arg(0), *push); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, options options, file, repository string) error {
	index, err := options.build(ctx)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "image")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder
	if _, err := layout.Write(folder, named(index, options.tag())); err != nil {
		return err
	}
	if err := writeArchive(folder, file); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	if repository != "" {
		return send(ctx, index, repository+":"+options.tag())
	}
	return nil
}
