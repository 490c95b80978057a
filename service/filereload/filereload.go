// Package filereload keeps values that are made of files up to date: certificates, passwords, lists of tokens.
//
// The files are polled and not watched. Polling also sees the swap of a symbolic link by which Kubernetes updates a
// secret, a change on a network file system, and two changes within one tick of the file system's clock.
package filereload

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// interval is the time between two polls. A change is used once two polls have read the same contents, so that a file
// that is still being written is not used: a change is in use after half a second.
const interval = 250 * time.Millisecond

// Source is one of the files of a Value.
type Source struct {
	// Name is the file's name in the log and in errors: the flag that gives its path, such as --tls-key.
	Name string
	// Path is where the file is.
	Path string
	// Secret rejects the file if every user of the machine can read it, except below /run/secrets.
	Secret bool
}

// Config configures a Value.
type Config[T any] struct {
	// Sources are the files, at least one.
	Sources []Source
	// Make makes the value of the files' contents, which are in the order of Sources and went through Text. Its error says what is wrong with
	// them. It must not repeat contents, which may be secret.
	Make func(contents [][]byte) (T, error)
	// Logger receives a line for each change that is used or rejected.
	Logger *slog.Logger
}

// Value is made of files, and made again when they change. It is safe for concurrent use.
type Value[T any] struct {
	cfg      Config[T]
	name     string // of all sources, with their paths
	current  atomic.Pointer[T]
	readOnce bool // a source is not a regular file: a pipe, for instance, can be read only once

	mu      sync.Mutex
	used    [][]byte    // the contents of which current is made
	latest  [][]byte    // the contents that the latest poll has read
	problem string      // the error of the latest poll
	stale   atomic.Bool // two polls in a row have returned the problem, and it is logged
}

// Load reads the files and makes the value for the first time. Its error names the file and says what would be right.
func Load[T any](cfg Config[T]) (*Value[T], error) {
	v := &Value[T]{cfg: cfg}
	names := make([]string, 0, len(cfg.Sources))
	for _, source := range cfg.Sources {
		names = append(names, source.Name+"="+source.Path)
		info, err := os.Stat(source.Path)
		v.readOnce = v.readOnce || err == nil && !info.Mode().IsRegular()
	}
	v.name = strings.Join(names, " and ")
	contents, err := v.read()
	if err != nil {
		return nil, err
	}
	if err := v.use(contents); err != nil {
		return nil, err
	}
	return v, nil
}

// Get returns the value of the newest valid contents.
func (v *Value[T]) Get() T { return *v.current.Load() }

// Reload reads the files at once, for a caller with reason to believe that they have changed. It reports whether there is
// a new value.
func (v *Value[T]) Reload() bool {
	if v.readOnce {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	contents, err := v.read()
	return err == nil && !same(contents, v.used) && v.use(contents) == nil
}

// poll reads the files, and uses new contents that were the same in two polls. An error is logged if two polls return it:
// between the writing of a certificate and the writing of its key, for instance, the files do not match for a moment.
func (v *Value[T]) poll(ctx context.Context) {
	if v.readOnce {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	contents, err := v.read()
	settled := err == nil && same(contents, v.latest)
	v.latest = contents
	switch {
	case err == nil && !settled:
		return
	case settled && same(contents, v.used):
		v.clearProblem()
		return
	case settled:
		err = v.use(contents)
	}
	if err == nil {
		v.clearProblem()
		v.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "a file has changed and was reloaded", slog.String("file", v.name))
		return
	}
	if again := err.Error() == v.problem; again && !v.stale.Load() {
		v.stale.Store(true)
		v.cfg.Logger.LogAttrs(ctx, slog.LevelError, "a file has changed and is not usable; its previous contents stay in use",
			slog.String("file", v.name), slog.String("error", err.Error()))
	} else if !again {
		v.problem = err.Error()
		v.stale.Store(false)
	}
}

func (v *Value[T]) clearProblem() {
	v.problem = ""
	v.stale.Store(false)
}

func (v *Value[T]) use(contents [][]byte) error {
	value, err := v.cfg.Make(contents)
	if err != nil {
		return fmt.Errorf("%s: %w", v.name, err)
	}
	v.used = contents
	v.current.Store(&value)
	return nil
}

func (v *Value[T]) read() ([][]byte, error) {
	contents := make([][]byte, len(v.cfg.Sources))
	for i, source := range v.cfg.Sources {
		content, err := readFile(source.Path, source.Secret, v.used != nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source.Name, err)
		}
		if contents[i], err = Text(content); err != nil {
			return nil, fmt.Errorf("%s=%s: %w", source.Name, source.Path, err)
		}
	}
	return contents, nil
}

func same(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }

// Name says which files these are by the flags that name them, such as "--tls-cert and --tls-key", without their paths.
func (v *Value[T]) Name() string {
	names := make([]string, len(v.cfg.Sources))
	for i, source := range v.cfg.Sources {
		names[i] = source.Name
	}
	return strings.Join(names, " and ")
}

// Stale reports whether the files have changed and are not usable, so that their previous contents are still in use.
func (v *Value[T]) Stale() bool { return v.stale.Load() }

// File is a Value of any type.
type File interface {
	// Name returns the names of the files, without their paths.
	Name() string
	// Stale reports whether the previous contents of the files are still in use because the new ones are not usable.
	Stale() bool

	poll(context.Context)
}

// Watch polls the files every 250 ms until ctx is done.
func Watch(ctx context.Context, files ...File) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, file := range files {
			file.poll(ctx)
		}
	}
}
