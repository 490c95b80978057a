package sandbox

import (
	"reflect"
	"slices"
	"strconv"
)

// textColumns are the columns with text that an update can change, in the order of Version.
var textColumns = []string{"email", "first_name", "last_name", "city", "state", "country", "postcode", "status", "notes"}

// changeable are the columns that an update by the companion can change.
var changeable = []string{
	"email", "first_name", "last_name", "city", "state", "country", "postcode", "status", "notes", "user_id",
}

// column returns a changeable column as text, and whether it is NULL. NULL is empty text, or 0 for the user_id.
func (r Row) column(name string) (text string, isNull bool) {
	var nullable *string
	switch name {
	case "email":
		return r.Email, false
	case "first_name":
		return r.FirstName, false
	case "last_name":
		return r.LastName, false
	case "notes":
		return r.Notes, false
	case "user_id":
		if r.UserID == nil {
			return "0", true
		}
		return strconv.FormatInt(*r.UserID, 10), false
	case "city":
		nullable = r.City
	case "state":
		nullable = r.State
	case "country":
		nullable = r.Country
	case "postcode":
		nullable = r.Postcode
	case "status":
		nullable = r.Status
	}
	return stringOrEmpty(nullable), nullable == nil
}

// differences returns the changeable columns in which two rows differ. NULL and empty text are the same.
func differences(a, b Row) []string {
	changed := []string{}
	for _, name := range changeable {
		before, _ := a.column(name)
		after, _ := b.column(name)
		if before != after {
			changed = append(changed, name)
		}
	}
	return changed
}

// merge is what an update by the companion asks of a row.
type merge struct {
	first, last string
	changed     []string // the columns that are to change
	body        texts    // of FluentCart's PUT
	sent        params   // the part of the request's set that is to change, for the log
}

// mergeInto merges the values of a request's set into a row. A value that the column has already is no change, and keeps the
// column's NULL.
func mergeInto(row Row, set params) merge {
	first, last, full := mergeNames(row, set)
	m := merge{
		first: first, last: last,
		body: texts{"id": new(strconv.FormatInt(row.ID, 10)), "full_name": &full, "aov": row.decimalAOV()},
		sent: params{},
	}
	for _, name := range changeable {
		stored, isNull := row.column(name)
		asked, isSet := set[name]
		value := stored
		switch {
		case name == "first_name":
			value = first
		case name == "last_name":
			value = last
		case isSet:
			value = *castText(asked)
		}
		if value != stored {
			m.changed = append(m.changed, name)
			if isSet {
				m.sent[name] = asked
			}
		}
		if value != stored || !isNull {
			m.body[name] = &value
		}
	}
	if asked, ok := set["full_name"]; ok && m.changes("first_name", "last_name") {
		m.sent["full_name"] = asked
	}
	return m
}

// changes reports whether one of the columns is to change.
func (m merge) changes(columns ...string) bool {
	return slices.ContainsFunc(columns, func(name string) bool { return slices.Contains(m.changed, name) })
}

// mergeNames returns the names that the row is to have, and the full name that is sent. A full name alone is split as
// FluentCart splits it; with one of the parts, the parts count.
func mergeNames(row Row, set params) (first, last, full string) {
	first, last = row.FirstName, row.LastName
	whole, firstSet, lastSet := set.text("full_name"), set.text("first_name"), set.text("last_name")
	switch {
	case firstSet != nil || lastSet != nil:
		if firstSet != nil {
			first = *firstSet
		}
		if lastSet != nil {
			last = *lastSet
		}
	case whole != nil && *whole != joinName(first, last):
		first, last = splitFullName(*whole)
	}
	if whole != nil {
		return first, last, *whole
	}
	return first, last, joinName(first, last)
}

// restoreNames puts back the names that FluentCart has only parted in another way: it makes the last word of a full name the
// last name, so that a last name of two words loses its first one.
func (m merge) restoreNames(row Row) Row {
	if joinName(row.FirstName, row.LastName) == joinName(m.first, m.last) {
		row.FirstName, row.LastName = m.first, m.last
	}
	return row
}

// unasked returns the columns that FluentCart has written and that were not to change, but did.
func (m merge) unasked(before, after Row) []string {
	changed := slices.DeleteFunc(differences(before, after), func(name string) bool { return m.changes(name) })
	if !reflect.DeepEqual(before.AOV, after.AOV) {
		changed = append(changed, "aov")
	}
	return changed
}
