package filereload

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// maxSize bounds a file, in bytes, because a mistyped path may name a device that never ends.
const maxSize = 1 << 20

// readFile reads a bounded file. It checks the mode of the open file, so that the check and the content belong to the
// same file. With again, the file was read before, and reading it must not block: it must be a regular file.
func readFile(path string, secret, again bool) (content []byte, err error) {
	flags := os.O_RDONLY
	if again {
		flags |= syscall.O_NONBLOCK // without it, opening a pipe would block until another process writes into it
	}
	file, err := os.OpenFile(path, flags, 0) //nolint:gosec // the operator has given the path
	if err != nil {
		return nil, fmt.Errorf("%w; give a file that this process can read", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if again && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file any more", path)
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
