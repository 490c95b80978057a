package auth

import (
	"cmp"
	"errors"
	"strings"
)

// Permissions hold which of the two restricted fields a caller may change. Every caller may change all other fields.
type Permissions struct {
	// UserID permits changing user_id. A caller with it can take over any WordPress account (F13).
	UserID bool
	// Status permits changing status.
	Status bool
}

// ParsePermissions reads a list of fields: status, user_id, both with a comma between, or - for neither. The error says
// so.
func ParsePermissions(list string) (Permissions, error) {
	var permissions Permissions
	if list == "-" {
		return permissions, nil
	}
	fields := map[string]*bool{"user_id": &permissions.UserID, "status": &permissions.Status}
	for name := range strings.SplitSeq(list, ",") {
		granted := fields[name]
		if granted == nil || *granted {
			return Permissions{}, errors.New("what a caller may change must be status, user_id, both with a comma between, or - for neither")
		}
		*granted = true
	}
	return permissions, nil
}

// String returns the list that ParsePermissions reads.
func (p Permissions) String() string {
	var list []string
	if p.Status {
		list = append(list, "status")
	}
	if p.UserID {
		list = append(list, "user_id")
	}
	return cmp.Or(strings.Join(list, ","), "-")
}
