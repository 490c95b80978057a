// Package nearest finds the known name that an unknown one is most probably a mistake for.
package nearest

import (
	"slices"
	"strings"
)

// maxLength is the length in bytes up to which a name is compared. No known name is near that length, and the time for a
// comparison grows with it.
const maxLength = 40

// Name returns the known name that is most like a name, or "" if none is like it. The first of several is returned. Case and
// everything but letters and digits does not count: firstName and first-name are like first_name.
func Name(name string, known []string) string {
	if len(name) > maxLength {
		return ""
	}
	given := letters(name)
	nearest, least := "", len(given)/3+1 // one mistake in three letters, so that a name of two letters has to be right
	for _, candidate := range known {
		other := letters(candidate)
		if max(len(given)-len(other), len(other)-len(given)) >= least { // the distance is no less
			continue
		}
		if d := distance(given, other); d < least {
			nearest, least = candidate, d
		}
	}
	if nearest != "" || len(given) < 3 {
		return nearest
	}
	i := slices.IndexFunc(known, func(candidate string) bool { return strings.HasPrefix(letters(candidate), given) })
	if i < 0 {
		return ""
	}
	return known[i]
}

// letters returns the letters and digits of a name in lower case.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// distance returns how many letters must be inserted, deleted, replaced, or swapped with the next one, to turn a into b
// (optimal string alignment).
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		row, above, aboveThat := rows[i%3], rows[(i+2)%3], rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := above[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			row[j] = min(above[j]+1, row[j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], aboveThat[j-2]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}
