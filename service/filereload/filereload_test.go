package filereload

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair makes a value of two files that must match.
func pair(contents [][]byte) (string, error) {
	first, second := string(contents[0]), string(contents[1])
	if strings.TrimPrefix(first, "a") != strings.TrimPrefix(second, "b") {
		return "", errors.New("the two files do not match")
	}
	return first + second, nil
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// watched is a pair of files that are polled in fake time.
type watched struct {
	value         *Value[string]
	first, second string
	log           bytes.Buffer
}

// watching runs a test in fake time, with a pair of files that Watch polls.
func watching(t *testing.T, test func(t *testing.T, w *watched)) {
	t.Helper()
	directory := t.TempDir()
	w := &watched{first: filepath.Join(directory, "first"), second: filepath.Join(directory, "second")}
	write(t, w.first, "a1")
	write(t, w.second, "b1")
	synctest.Test(t, func(t *testing.T) {
		value, err := Load(Config[string]{
			Sources: []Source{{"--first", w.first, false}, {"--second", w.second, true}}, Make: pair,
			Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.value = value
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { Watch(ctx, value) })
		test(t, w)
		stop()
		running.Wait()
	})
}

// after lets fake time pass, and then waits until all goroutines are idle.
func after(passed time.Duration) {
	<-time.After(passed)
	synctest.Wait()
}

func TestChangeIsUsedWithinASecond(t *testing.T) {
	watching(t, func(t *testing.T, w *watched) {
		for _, now := range []string{"2", "3", "2"} {
			write(t, w.first, "a"+now)
			write(t, w.second, "b"+now)
			after(time.Second)
			if got, want := w.value.Get(), "a"+now+"b"+now; got != want {
				t.Errorf("after a second the value is %q, want %q", got, want)
			}
		}
		if got := strings.Count(w.log.String(), "has changed and was reloaded"); got != 3 {
			t.Errorf("%d changes were logged, want 3:\n%s", got, &w.log)
		}
	})
}

func TestUnusableFileIsLoggedOnceAndItsPreviousContentsStayInUse(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, w *watched){
		"contents that do not match": func(t *testing.T, w *watched) { write(t, w.first, "a2") },
		"a file that was deleted": func(t *testing.T, w *watched) {
			if err := os.Remove(w.second); err != nil {
				t.Fatal(err)
			}
		},
		"a file that was replaced by a pipe": func(t *testing.T, w *watched) {
			if err := errors.Join(os.Remove(w.second), syscall.Mkfifo(w.second, 0o600)); err != nil {
				t.Fatal(err)
			}
		},
		"a file that everyone can read": func(t *testing.T, w *watched) {
			if err := os.Chmod(w.second, 0o604); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			watching(t, func(t *testing.T, w *watched) {
				if w.value.Stale() {
					t.Error("the value is stale before the change")
				}
				spoil(t, w)
				after(10 * time.Second)
				if !w.value.Stale() || w.value.Name() != "--first and --second" {
					t.Errorf("%s: Stale is %t, want true", w.value.Name(), w.value.Stale())
				}
				if got := w.value.Get(); got != "a1b1" {
					t.Errorf("the value is %q", got)
				}
				if got := strings.Count(w.log.String(), "level=ERROR"); got != 1 {
					t.Errorf("%d errors were logged, want 1:\n%s", got, &w.log)
				}
				_ = os.Remove(w.second) // the test may have replaced it by a pipe
				write(t, w.first, "a3")
				write(t, w.second, "b3")
				if err := os.Chmod(w.second, 0o600); err != nil {
					t.Fatal(err)
				}
				after(time.Second)
				if got := w.value.Get(); got != "a3b3" || w.value.Stale() {
					t.Errorf("after the files were repaired the value is %q, stale: %t", got, w.value.Stale())
				}
			})
		})
	}
}

func TestMismatchBetweenTwoWritesIsNotLogged(t *testing.T) {
	watching(t, func(t *testing.T, w *watched) {
		write(t, w.first, "a2")
		after(interval)
		write(t, w.second, "b2")
		after(time.Second)
		if got := w.value.Get(); got != "a2b2" {
			t.Errorf("the value is %q", got)
		}
		if strings.Contains(w.log.String(), "ERROR") {
			t.Errorf("the log has %s", &w.log)
		}
	})
}

func TestSwappedSymbolicLinkIsReloaded(t *testing.T) {
	watching(t, func(t *testing.T, w *watched) {
		newer := w.first + ".newer"
		write(t, newer, "a2")
		link := w.first + ".link"
		if err := errors.Join(os.Symlink(newer, link), os.Rename(link, w.first)); err != nil {
			t.Fatal(err)
		}
		write(t, w.second, "b2")
		after(time.Second)
		if got := w.value.Get(); got != "a2b2" {
			t.Errorf("the value is %q", got)
		}
	})
}

func TestReloadReadsAtOnce(t *testing.T) {
	watching(t, func(t *testing.T, w *watched) {
		if w.value.Reload() {
			t.Error("Reload reports a new value, although no file has changed")
		}
		write(t, w.first, "a2")
		if w.value.Reload() || w.value.Get() != "a1b1" {
			t.Error("files that do not match were used")
		}
		write(t, w.second, "b2")
		if !w.value.Reload() || w.value.Get() != "a2b2" {
			t.Errorf("the value is %q", w.value.Get())
		}
	})
}

func TestLoadRejectsUnusableFiles(t *testing.T) {
	directory := t.TempDir()
	good, open, huge := filepath.Join(directory, "good"), filepath.Join(directory, "open"), filepath.Join(directory, "huge")
	write(t, good, "good")
	write(t, open, "open")
	write(t, huge, strings.Repeat("x", maxSize+1))
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for path, wanted := range map[string]string{
		filepath.Join(directory, "missing"): "give a file that this process can read",
		directory:                           "give a file that this process can read",
		open:                                "is open to everyone on this machine (mode 0644): chmod 600 it",
		huge:                                "has more than 1048576 bytes",
		"/dev/zero":                         "has more than 1048576 bytes",
		good:                                "the contents are not valid",
	} {
		_, err := Load(Config[string]{
			Sources: []Source{{"--secret", path, true}}, Logger: slog.New(slog.DiscardHandler),
			Make: func([][]byte) (string, error) { return "", errors.New("the contents are not valid") },
		})
		if err == nil || !strings.HasPrefix(err.Error(), "--secret") || !strings.Contains(err.Error(), wanted) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want one line with %q", filepath.Base(path), err, wanted)
		}
	}
}

func TestPipeIsReadOnlyOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() { _ = os.WriteFile(path, []byte("once"), 0o600) }()
	value, err := Load(Config[string]{
		Sources: []Source{{"--secret", path, true}}, Logger: slog.New(slog.DiscardHandler),
		Make: func(contents [][]byte) (string, error) { return string(contents[0]), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	value.poll(t.Context()) // a second read would block until another process writes into the pipe
	if value.Reload() || value.Get() != "once" {
		t.Errorf("the value is %q", value.Get())
	}
}
