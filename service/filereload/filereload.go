// Package filereload keeps what is made of files up to date while they change: certificates, passwords, lists of tokens.
//
// Files are read again and again, and not watched: that also sees what a secret store of Kubernetes does (it swaps a
// symbolic link), what comes over a network file system, and two changes within one tick of a clock.
package filereload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// interval is the time between two looks at a file. What has changed must look the same twice, so that no file is
	// taken that is half written: a change is in use after half a second.
	interval = 250 * time.Millisecond
	// maxSize bounds a file, in bytes: a slip of the pen may name a device.
	maxSize = 1 << 20
)

// Source is a file that a Value is made of.
type Source struct {
	// Name says what the file is, for the log and in errors, such as --tls-key.
	Name string
	Path string
	// Secret refuses the file if everyone on the machine can read it.
	Secret bool
}

// Config says what a Value is made of.
type Config[T any] struct {
	// Sources are the files, one or more.
	Sources []Source
	// Make makes the value of the contents, in the order of Sources. Its error says what is wrong with them, and never
	// repeats what may be secret.
	Make func(contents [][]byte) (T, error)
	// Logger is told of changes, and of those that were not taken.
	Logger *slog.Logger
}

// Value is made of files. It is safe for concurrent use.
type Value[T any] struct {
	cfg     Config[T]
	name    string // of all sources
	current atomic.Pointer[T]
	once    bool // it is made of a pipe or the like, which can be read once only

	mu      sync.Mutex
	taken   [][]byte    // what current is made of
	seen    [][]byte    // what the last look saw
	problem string      // what is wrong since the last look or longer
	told    atomic.Bool // the log has it
}

// Load makes the value for the first time. Its error names the file and says what would be right.
func Load[T any](cfg Config[T]) (*Value[T], error) {
	v := &Value[T]{cfg: cfg}
	names := make([]string, 0, len(cfg.Sources))
	for _, source := range cfg.Sources {
		names = append(names, source.Name+"="+source.Path)
		info, err := os.Stat(source.Path)
		v.once = v.once || err == nil && !info.Mode().IsRegular()
	}
	v.name = strings.Join(names, " and ")
	contents, err := v.read()
	if err != nil {
		return nil, err
	}
	if err := v.take(contents); err != nil {
		return nil, err
	}
	return v, nil
}

// Get returns the value of the newest contents that were good.
func (v *Value[T]) Get() T { return *v.current.Load() }

// Reload reads the files at once, as somebody has reason to think that they have changed, and returns whether there
// is a new value.
func (v *Value[T]) Reload() bool {
	if v.once {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	contents, err := v.read()
	return err == nil && !same(contents, v.taken) && v.take(contents) == nil
}

// look reads the files, and takes what has changed once it looks the same twice. What is wrong for a moment only, such as
// between a certificate and its key, is not told.
func (v *Value[T]) look(ctx context.Context) {
	if v.once {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	contents, err := v.read()
	settled := err == nil && same(contents, v.seen)
	v.seen = contents
	switch {
	case err == nil && !settled:
		return
	case settled && same(contents, v.taken):
		v.problem = ""
		v.told.Store(false)
		return
	case settled:
		err = v.take(contents)
	}
	if err == nil {
		v.problem = ""
		v.told.Store(false)
		v.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "a file has changed, and is in use as it is now", slog.String("file", v.name))
		return
	}
	if again := err.Error() == v.problem; again && !v.told.Load() {
		v.told.Store(true)
		v.cfg.Logger.LogAttrs(ctx, slog.LevelError, "a file has changed, and is no good; what there was before stays in use",
			slog.String("file", v.name), slog.String("error", err.Error()))
	} else if !again {
		v.problem = err.Error()
		v.told.Store(false)
	}
}

func (v *Value[T]) take(contents [][]byte) error {
	value, err := v.cfg.Make(contents)
	if err != nil {
		return fmt.Errorf("%s: %w", v.name, err)
	}
	v.taken = contents
	v.current.Store(&value)
	return nil
}

func (v *Value[T]) read() ([][]byte, error) {
	contents := make([][]byte, len(v.cfg.Sources))
	for i, source := range v.cfg.Sources {
		content, err := readFile(source.Path, source.Secret, v.taken != nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source.Name, err)
		}
		contents[i] = content
	}
	return contents, nil
}

// readFile reads a bounded file. Who may read it is asked of the open file, and so of the one that is read.
// Again is whether it has been read before: then it must be one that can be read without waiting for anybody.
func readFile(path string, secret, again bool) (content []byte, err error) {
	flags := os.O_RDONLY
	if again {
		flags |= syscall.O_NONBLOCK // opening a pipe would wait for somebody to write into it
	}
	file, err := os.OpenFile(path, flags, 0) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("%w; give a file that this process can read", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if again && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file any more", path)
	}
	if open := info.Mode().Perm() & 0o007; secret && info.Mode().IsRegular() && open != 0 {
		return nil, fmt.Errorf("%s is open to everyone on this machine (mode %04o): chmod 600 it, or 640 for a group", path, info.Mode().Perm())
	}
	content, err = io.ReadAll(io.LimitReader(file, maxSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w; give a file that this process can read", err)
	case len(content) > maxSize:
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxSize)
	}
	return content, nil
}

func same(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }

// Name says what the files are, such as --tls-cert and --tls-key. It holds no paths.
func (v *Value[T]) Name() string {
	names := make([]string, len(v.cfg.Sources))
	for i, source := range v.cfg.Sources {
		names[i] = source.Name
	}
	return strings.Join(names, " and ")
}

// Stale reports whether the files have changed and are no good, so that what there was before is still in use.
func (v *Value[T]) Stale() bool { return v.told.Load() }

// File is a Value of any type.
type File interface {
	Name() string
	Stale() bool

	look(context.Context)
}

// Watch keeps files up to date until ctx is done.
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
			file.look(ctx)
		}
	}
}
