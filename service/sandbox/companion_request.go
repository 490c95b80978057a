package sandbox

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxFingerprint is the longest fingerprint, in characters.
const maxFingerprint = 64

// atomicRequest is the body of the companion's POST.
type atomicRequest struct {
	id               string
	set              params
	keep             []string
	ifMatch          []string // nil: any version
	key, fingerprint string
}

// parseAtomicRequest returns the request, or the name of a parameter that is missing or invalid, and its problem.
func parseAtomicRequest(p params) (q atomicRequest, param, problem string) {
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if problem := q.read(p, name); problem != "" {
			return q, name, problem
		}
	}
	switch {
	case q.id == "":
		return q, "request_id", "is required"
	case q.set == nil:
		return q, "set", "is required"
	}
	return q, "", ""
}

// read reads one parameter, and returns its problem.
func (q *atomicRequest) read(p params, name string) (problem string) {
	var ok bool
	switch name {
	case "request_id":
		q.id, ok = p.uuid(name)
		problem = "must be a UUID"
	case "set":
		q.set, ok = p.changes(name)
		problem = "must be an object with text, or an integer for user_id, for: full_name, " + strings.Join(changeable, ", ")
	case "keep":
		q.keep, ok = p.texts(name)
		ok = ok && !slices.ContainsFunc(q.keep, func(column string) bool { return !slices.Contains(changeable, column) })
		problem = "must be a list of columns: " + strings.Join(changeable, ", ")
	case "if_match":
		q.ifMatch, ok = p.texts(name)
		problem = "must be a list of versions"
	case "key":
		q.key, ok = p.uuid(name)
		problem = "must be a UUID"
	case "fingerprint":
		ok = json.Unmarshal(p[name], &q.fingerprint) == nil && utf8.RuneCountInString(q.fingerprint) <= maxFingerprint
		problem = "must be a text of at most 64 characters"
	default:
		// FluentCart's own handler reads the body of the outer request too, and would write a customer's field there.
		problem = "is not a parameter"
	}
	if ok {
		return ""
	}
	return problem
}

// uuid returns the canonical form of a parameter that is a UUID.
func (p params) uuid(name string) (string, bool) {
	var text string
	if json.Unmarshal(p[name], &text) != nil {
		return "", false
	}
	return parseUUID(text)
}

// texts returns a parameter that is a list of texts. It is not nil, even if the list is empty.
func (p params) texts(name string) ([]string, bool) {
	var texts []string
	err := json.Unmarshal(p[name], &texts)
	return texts, err == nil && texts != nil
}

// changes returns a parameter that is an object with values for columns.
func (p params) changes(name string) (params, bool) {
	var set params
	if json.Unmarshal(p[name], &set) != nil || set == nil {
		return nil, false
	}
	for field, value := range set {
		isValid := value[0] == '"'
		if field == "user_id" {
			isValid = isDigits(string(value))
		}
		if !isValid || field != "full_name" && !slices.Contains(changeable, field) {
			return nil, false
		}
	}
	return set, true
}
