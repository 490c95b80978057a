package filereload

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Docker mounts the secrets of a container with mode 0444. Kubernetes' are symbolic links within one folder.
func TestSecretsOfAContainerMayBeReadableByEveryone(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	folder, outside := filepath.Join(root, "secrets"), filepath.Join(root, "outside")
	data := filepath.Join(folder, "..data")
	if err := errors.Join(os.MkdirAll(data, 0o700), os.WriteFile(outside, nil, 0o600),
		os.WriteFile(filepath.Join(folder, "file"), nil, 0o600), os.WriteFile(filepath.Join(data, "file"), nil, 0o600),
		os.Symlink(filepath.Join("..data", "file"), filepath.Join(folder, "link")),
		os.Symlink(outside, filepath.Join(folder, "leaving")), os.Symlink(folder, filepath.Join(root, "var")),
		os.Mkdir(folder+"-other", 0o700), os.WriteFile(folder+"-other/file", nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name    string
		path    string
		mode    os.FileMode
		refused bool
	}{
		{"Docker's mode", folder + "/file", 0o444, false},
		{"the mode of Kubernetes, through a link", folder + "/link", 0o644, false},
		{"a link to the folder", root + "/var/file", 0o444, false},
		{"a file that everyone may write", folder + "/file", 0o446, true},
		{"a file that everyone may execute", folder + "/file", 0o555, true},
		{"elsewhere", outside, 0o444, true},
		{"elsewhere, for a group", outside, 0o440, false},
		{"elsewhere, through a link below the folder", folder + "/leaving", 0o444, true},
		{"elsewhere, through ..", folder + "/../outside", 0o444, true},
		{"a folder whose name begins the same", folder + "-other/file", 0o444, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := checkMode(row.path, row.mode, folder); (err != nil) != row.refused {
				t.Errorf("mode %04o: %v", row.mode, err)
			}
		})
	}
}
