package sandbox

import "strings"

// names are the first and the last name that the fields give, in a store of this setting (F11).
func (s *Store) names(p params) (first, last string) {
	if s.splitNames {
		return sanitize(stringOrEmpty(p.text("first_name"))), sanitize(stringOrEmpty(p.text("last_name")))
	}
	return splitFullName(sanitize(stringOrEmpty(p.text("full_name"))))
}

// displayName is the whole name before the columns cut it; WordPress's own limits apply to this one.
func (s *Store) displayName(p params) string {
	return joinName(s.names(p))
}

// splitFullName makes the last word the last name; a single word is a first name (F11).
func splitFullName(full string) (first, last string) {
	full = strings.Trim(full, phpSpace)
	i := strings.LastIndexByte(full, ' ')
	if i < 0 {
		return full, ""
	}
	return strings.Trim(full[:i], phpSpace), full[i+1:]
}

func joinName(first, last string) string {
	return strings.Trim(first+" "+last, phpSpace)
}
