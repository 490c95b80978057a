package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Tokens are the callers of a token file. The file may be empty: an operator who removes its last line revokes the last
// token.
type Tokens struct{ entries []tokenEntry }

// Len returns the number of tokens.
func (t *Tokens) Len() int { return len(t.entries) }

type tokenEntry struct {
	hash     [sha256.Size]byte
	caller   *Caller
	line     int
	explicit bool // the line has a column with permissions
}

// ParseTokens reads a token file. A line has a name, the token's SHA-256, and optionally what the caller may change, as
// ParsePermissions reads it. Several lines with one name are several tokens of one caller, which a rotation needs. The
// permissions in one of these lines hold for all of them; if there are none, the caller has the usual ones. Empty lines
// and lines that begin with # are skipped.
//
// The error reports all faults by the number of their line. It repeats no text of the file, which may be a token.
func ParseTokens(content []byte, usual Permissions) (*Tokens, error) {
	tokens := &Tokens{}
	var faults []string
	number := 0
	for line := range bytes.Lines(content) {
		number++
		columns := strings.Fields(string(line))
		if len(columns) == 0 || strings.HasPrefix(columns[0], "#") {
			continue
		}
		entry, err := parseToken(columns, usual)
		if err == nil {
			entry.line = number
			err = tokens.add(entry)
		}
		if err != nil {
			faults = append(faults, fmt.Sprintf("line %d: %v", number, err))
		}
	}
	if len(faults) > 0 {
		return nil, errors.New(strings.Join(faults, "; "))
	}
	tokens.inheritPermissions()
	return tokens, nil
}

func parseToken(columns []string, usual Permissions) (tokenEntry, error) {
	entry := tokenEntry{}
	if len(columns) < 2 || len(columns) > 3 {
		return entry, errors.New("must be a name, sha256: with 64 hexadecimal digits, and optionally what the caller may change")
	}
	if !validName(columns[0]) {
		return entry, errNoName
	}
	digits, ok := strings.CutPrefix(columns[1], hashPrefix)
	hash, err := hex.DecodeString(digits)
	if !ok || err != nil || len(hash) != sha256.Size {
		return entry, errors.New("the second column must be sha256: and 64 hexadecimal digits, as `fluentcart-gateway token NAME` prints them; the token itself does not belong here")
	}
	permissions := usual
	if len(columns) == 3 {
		if permissions, err = ParsePermissions(columns[2]); err != nil {
			return entry, err
		}
	}
	entry.hash = [sha256.Size]byte(hash)
	entry.caller = &Caller{Name: columns[0], Authenticated: true, Share: columns[0], May: permissions}
	entry.explicit = len(columns) == 3
	return entry, nil
}

func (t *Tokens) add(entry tokenEntry) error {
	for _, known := range t.entries {
		switch {
		case known.hash == entry.hash:
			return fmt.Errorf("has the token of line %d: give each line one of its own", known.line)
		case known.caller.Name == entry.caller.Name && known.explicit && entry.explicit && known.caller.May != entry.caller.May:
			return fmt.Errorf("lets %s change other fields than line %d does: a caller may change the same fields with each of its tokens", entry.caller.Name, known.line)
		}
	}
	t.entries = append(t.entries, entry)
	return nil
}

// inheritPermissions gives each line without permissions those of another line with the same name.
func (t *Tokens) inheritPermissions() {
	explicit := map[string]*Caller{}
	for _, entry := range t.entries {
		if entry.explicit {
			explicit[entry.caller.Name] = entry.caller
		}
	}
	for i, entry := range t.entries {
		if caller := explicit[entry.caller.Name]; caller != nil {
			t.entries[i].caller = caller
		}
	}
}
