package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// databaseModule is what the database is published from. It reaches whoever reaches the Go module proxy, which needs to
// be reached for building anyway, and the checksum database vouches for it.
const databaseModule = "golang.org/x/vulndb"

// fewestEntries is less than the database ever had since 2023. With a folder that has moved or is half empty, nothing
// would be found, which looks like good news.
const fewestEntries = 2000

type database struct {
	version string
	made    time.Time
	osv     string // the folder with an OSV file for each vulnerability
}

// newestDatabase is not pinned, alone of all that is fetched here: it is data, and an old one knows less.
func newestDatabase(ctx context.Context) (database, error) {
	command := exec.CommandContext(ctx, "go", "mod", "download", "-json", databaseModule+"@latest")
	printed, err := command.Output() // a fault is in what is printed, too
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
	printed, err := exec.CommandContext(ctx, "go", "list", "-m", "-json", databaseModule+"@"+version).Output() //nolint:gosec // what the go command has just named
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
		return fmt.Errorf("%s holds %d vulnerabilities, and should hold at least %d: has the database moved?", folder, len(entries), fewest)
	}
	return nil
}
