package filereload

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// containerSecrets is where Docker mounts a container's secrets, with mode 0444. Only the container sees them.
const containerSecrets = "/run/secrets"

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
	if secret && info.Mode().IsRegular() {
		if err := checkMode(path, info.Mode().Perm(), containerSecrets); err != nil {
			return nil, err
		}
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

// checkMode returns an error if every user of the machine can open a secret file. Below the folder everyone may read it.
func checkMode(path string, mode os.FileMode, folder string) error {
	open := mode & 0o007
	if open == 0 || open == 0o004 && isBelow(path, folder) {
		return nil
	}
	return fmt.Errorf("%s is open to everyone on this machine (mode %04o): chmod 600 it, or 640 for a group", path, mode)
}

// isBelow reports whether the file that path leads to, by symbolic links or not, is below the folder.
func isBelow(path, folder string) bool {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	if target, err = filepath.Abs(target); err != nil {
		return false
	}
	return strings.HasPrefix(target, folder+string(filepath.Separator))
}
