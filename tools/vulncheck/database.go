package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// databaseModule is the Go module in which the database is published. It can be downloaded wherever the Go module proxy
// is reachable, which a build needs anyway, and the checksum database authenticates it.
const databaseModule = "golang.org/x/vulndb"

// fewestEntries is a lower bound: the database has had more entries since 2023. If the folder moves or is incomplete, the
// search finds no vulnerability, and without this bound would pass.
const fewestEntries = 2000

type database struct {
	version string
	made    time.Time
	osv     string // the folder with an OSV file for each vulnerability
}

// newestDatabase downloads the newest database. It is the only download that is not pinned, because an older database
// lacks the newest vulnerabilities.
func newestDatabase(ctx context.Context) (database, error) {
	command := exec.CommandContext(ctx, "go", "mod", "download", "-json", databaseModule+"@latest")
	printed, err := command.Output() // on failure, too, the output holds the error
	var module struct {
		Version, Dir, Info, Error string
	}
	if faulty := json.Unmarshal(printed, &module); faulty != nil || module.Error != "" || err != nil {
		return database{}, fmt.Errorf("no database: the Go module proxy must be reachable for %s: %s (%w)", databaseModule, module.Error, err)
	}
	made, err := publishedAt(ctx, module.Version)
	if err != nil {
		return database{}, err
	}
	db := database{version: module.Version, made: made, osv: filepath.Join(module.Dir, "data", "osv")}
	return db, checkEntries(db.osv, fewestEntries)
}

func publishedAt(ctx context.Context, version string) (time.Time, error) {
	printed, err := exec.CommandContext(ctx, "go", "list", "-m", "-json", databaseModule+"@"+version).Output() //nolint:gosec // the version that the go command has printed
	if err != nil {
		return time.Time{}, fmt.Errorf("go list of %s@%s: %w", databaseModule, version, err)
	}
	var module struct{ Time time.Time }
	if err := json.Unmarshal(printed, &module); err != nil {
		return time.Time{}, fmt.Errorf("go list of %s@%s: %w", databaseModule, version, err)
	}
	return module.Time, nil
}

func checkEntries(folder string, fewest int) error {
	entries, err := filepath.Glob(filepath.Join(folder, "GO-*.json"))
	if err != nil {
		return err
	}
	if len(entries) < fewest {
		return fmt.Errorf("%s holds %d vulnerabilities and must hold at least %d: has the database moved?", folder, len(entries), fewest)
	}
	return nil
}
