package auth

import (
	"errors"
	"slices"
	"strings"
)

// Permissions are what a caller may change of what not every caller should. All else of a customer may be changed by
// whoever may call.
type Permissions struct {
	// UserID allows to change user_id, and with it to take over any WordPress account (F13).
	UserID bool
	// Status allows to change status.
	Status bool
}

// ParsePermissions reads a list of fields such as status,user_id; a dash is none.
func ParsePermissions(list string) (Permissions, error) {
	var may Permissions
	if list == "-" {
		return may, nil
	}
	fields := map[string]*bool{"user_id": &may.UserID, "status": &may.Status}
	for name := range strings.SplitSeq(list, ",") {
		granted := fields[name]
		if granted == nil || *granted {
			return Permissions{}, errors.New("what a caller may change must be status, user_id, both with a comma between, or - for neither")
		}
		*granted = true
	}
	return may, nil
}

// String lists the fields as ParsePermissions reads them.
func (p Permissions) String() string {
	fields := map[string]bool{"status": p.Status, "user_id": p.UserID}
	var list []string
	for name, granted := range fields {
		if granted {
			list = append(list, name)
		}
	}
	if len(list) == 0 {
		return "-"
	}
	slices.Sort(list)
	return strings.Join(list, ",")
}
