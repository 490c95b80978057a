package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/ko/pkg/build"
	"go.yaml.in/yaml/v3"
)

// program is the package that ko builds. The program in the image is /ko-app/fluentcart-gateway, and in the PATH.
const program = "github.com/fluentcart-gateway/fluentcart-gateway/cmd/fluentcart-gateway"

// options say what is built.
type options struct {
	root      string
	platforms []string
	version   string
	base      string
}

// tag is the name of the image in its archive and in a registry: the version without the v.
func (o *options) tag() string {
	return cmp.Or(strings.TrimPrefix(o.version, "v"), "latest")
}

// build returns the index of the images, one for each platform.
func (o *options) build(ctx context.Context) (v1.ImageIndex, error) {
	root, err := filepath.Abs(o.root)
	if err != nil {
		return nil, err
	}
	flags, err := readConfig(filepath.Join(root, ".ko.yaml"))
	if err != nil {
		return nil, err
	}
	commit, created, err := head(ctx, root)
	if err != nil {
		return nil, err
	}
	var platforms []v1.Platform
	for _, text := range o.platforms {
		platform, err := v1.ParsePlatform(text)
		if err != nil {
			return nil, err
		}
		platforms = append(platforms, *platform)
	}
	base := ownBase(platforms)
	if o.base != "" {
		base = registryBase(ctx, o.base)
	}
	settings := []build.Option{
		build.WithBaseImages(base),
		build.WithConfig(map[string]build.Config{program: *flags}),
		build.WithPlatforms(o.platforms...),
		build.WithUser(user),
		build.WithCreationTime(v1.Time{Time: created}),
		build.WithKoDataCreationTime(v1.Time{Time: created}),
		build.WithDisabledSBOM(), // tools/release writes one for each binary
	}
	for key, value := range labels(o.version, commit, created) {
		settings = append(settings, build.WithLabel(key, value), build.WithAnnotation(key, value))
	}
	ko, err := build.NewGo(ctx, root, settings...)
	if err != nil {
		return nil, err
	}
	result, err := ko.Build(ctx, build.StrictScheme+program)
	if err != nil {
		return nil, err
	}
	return configured(result)
}

// configured sets how each image is started, for which ko has no options.
func configured(result build.Result) (v1.ImageIndex, error) {
	index, ok := result.(v1.ImageIndex)
	if !ok { // of one platform
		image, ok := result.(v1.Image)
		if !ok {
			return nil, fmt.Errorf("ko built neither an image nor an index: %T", result)
		}
		config, err := image.ConfigFile()
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: config.Platform()}})
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	out := mutate.Annotations(empty.Index, manifest.Annotations).(v1.ImageIndex) //nolint:forcetypeassert // it returns what it is given
	for _, entry := range manifest.Manifests {
		image, err := index.Image(entry.Digest)
		if err != nil {
			return nil, err
		}
		config, err := image.ConfigFile()
		if err != nil {
			return nil, err
		}
		config = config.DeepCopy()
		start(&config.Config)
		if image, err = mutate.ConfigFile(image, config); err != nil {
			return nil, err
		}
		out = mutate.AppendManifests(out, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: entry.Platform}})
	}
	return out, nil
}

// readConfig reads the flags of the compiler from the configuration of ko, so that the ko command builds the same binary.
func readConfig(file string) (*build.Config, error) {
	content, err := os.ReadFile(file) //nolint:gosec // a file of the repository
	if err != nil {
		return nil, err
	}
	var config struct{ Builds []build.Config }
	if err := yaml.Unmarshal(content, &config); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(config.Builds) != 1 {
		return nil, fmt.Errorf("%s: must have one build, and has %d", file, len(config.Builds))
	}
	return &config.Builds[0], nil
}

// head returns the last commit, and its time or that of SOURCE_DATE_EPOCH: https://reproducible-builds.org/specs/source-date-epoch.
func head(ctx context.Context, root string) (commit string, created time.Time, err error) {
	output, err := exec.CommandContext(ctx, "git", "-C", root, "log", "-1", "--format=%H %ct").Output() //nolint:gosec // the directory that the command line names
	if err != nil {
		return "", time.Time{}, fmt.Errorf("%s must be a git work tree with a commit: %w", root, err)
	}
	commit, text, found := strings.Cut(strings.TrimSpace(string(output)), " ")
	if !found {
		return "", time.Time{}, errors.New("git log printed no time")
	}
	seconds, err := strconv.ParseInt(cmp.Or(os.Getenv("SOURCE_DATE_EPOCH"), text), 10, 64)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	return commit, time.Unix(seconds, 0).UTC(), nil
}
