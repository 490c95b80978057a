package fluentcart

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// tolerant are the options for reading what PHP writes: texts of the database that are not UTF-8, and names that are given
// twice, of which the last one counts.
var tolerant = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)) //nolint:gochecknoglobals // a constant

// envelope reads a customer out of the JSON object that holds it, in one pass.
type envelope struct {
	member   string    // the name, with its quotes, of the member that is the customer
	needsID  bool      // only a member with an id is a customer
	expected *Customer // holds the values of columns that the JSON does not have, and the id that it must have

	row
	isObject bool
	refuses  bool // the object has a code that stands for an error, or says that it is no success
}

// row is a customer as a JSON object shows it.
type row struct {
	compared bool // it is not shown to callers: columns that are only shown are skipped

	customer Customer
	present  [len(columns)]bool
	faults   [len(columns)]fault
}

// find looks for the customer in the body of a response, and reports whether there is one, and whether the body also holds
// a refusal. The body is one JSON object, unless PHP printed something around it (F20). Of several customers the last one
// that passes check counts, or the last one of all if none does.
func (e *envelope) find(body []byte) (found, refused bool) {
	if json.Unmarshal(body, e, tolerant) == nil {
		return e.holdsCustomer(), e.refuses
	}
	empty := envelope{member: e.member, needsID: e.needsID, expected: e.expected}
	for object := range objects(body) {
		next := empty
		if json.Unmarshal(object, &next, tolerant) != nil {
			continue
		}
		refused = refused || next.refuses || statesRefusal(object)
		if next.holdsCustomer() && (!found || next.check() == nil || e.check() != nil) {
			*e, found = next, true
		}
	}
	return found, refused
}

func (e *envelope) holdsCustomer() bool {
	return e.isObject && (!e.needsID || e.present[columnsByName[`"id"`]])
}

// UnmarshalJSONFrom reads the whole object. Its error is about JSON that is malformed, not about the customer.
func (e *envelope) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	e.isObject, e.refuses = false, false
	return eachMember(in, func(name jsontext.Value) error {
		switch string(name) {
		case `"code"`:
			code, err := in.ReadValue()
			e.refuses = e.refuses || refusal{Code: scalar(shownText(code))}.number() >= http.StatusBadRequest
			return err
		case `"success"`:
			success, err := in.ReadValue()
			e.refuses = e.refuses || isFalse(success)
			return err
		case e.member:
		default:
			return in.SkipValue()
		}
		if e.isObject = in.PeekKind() == '{'; !e.isObject {
			return in.SkipValue()
		}
		return e.read(in, e.expected)
	})
}

// read reads the object. Columns that it does not have are those of expected.
func (r *row) read(in *jsontext.Decoder, expected *Customer) error {
	r.customer, r.present, r.faults = *expected, [len(columns)]bool{}, [len(columns)]fault{}
	r.customer.ID = 0
	r.customer.UpdatedAt = time.Time{} // a write changes it, so the earlier time is wrong
	return eachMember(in, func(name jsontext.Value) error {
		at, known := columnsByName[string(name)]
		if !known || r.compared && columns[at].onlyShown {
			return in.SkipValue()
		}
		raw, err := in.ReadValue()
		if err != nil {
			return err
		}
		r.present[at] = true
		r.faults[at] = columns[at].read(&r.customer, raw)
		return nil
	})
}

// check returns what is wrong with the customer, or nil. A read must have every column that a PUT overwrites: merging
// without it would clear it (F2). It may have columns whose value is not certain; they are listed in the customer. The
// documented response to a PUT has an id, an e-mail address and a name only; there a column that is not certain is an error
// unless it shows at least a text or a number.
func (e *envelope) check() error {
	isRequired := isReplaced
	if e.needsID {
		isRequired = isDocumented
	}
	return e.row.check(e.expected, e.needsID, isRequired)
}

// check is the check of envelope. written says that the row is the one after a write.
func (r *row) check(expected *Customer, written bool, isRequired func(column) bool) error {
	r.customer.Uncertain = nil
	for at, fault := range r.faults {
		switch {
		case fault == noFault:
		case fault == notInteger, written && fault != shownNumber && fault != shownInvalidText:
			return fmt.Errorf("the customer's %q is shown as %s", columns[at].name, fault)
		default:
			r.customer.Uncertain = append(r.customer.Uncertain, UncertainColumn{columns[at].name, fault.String()})
		}
	}
	switch {
	case r.customer.ID != expected.ID:
		return fmt.Errorf("the response is about customer %d, not %d", r.customer.ID, expected.ID)
	case r.customer.Email == "" && expected.Email != "": // a customer that was read may have none (F32)
		return errors.New("the customer has no e-mail address")
	}
	if missing := r.firstMissing(isRequired); missing != "" {
		return fmt.Errorf("the customer lacks %q", missing)
	}
	return nil
}

// isComplete reports whether the JSON has every column that a PUT overwrites.
func (r *row) isComplete() bool { return r.firstMissing(isReplaced) == "" }

// firstMissing returns the name of the first required column that the JSON does not have, or an empty text.
func (r *row) firstMissing(isRequired func(column) bool) string {
	for at, column := range columns {
		if isRequired(column) && !r.present[at] {
			return column.name
		}
	}
	return ""
}

var errNotObject = errors.New("not an object")

// eachMember reads an object. It calls read after the name of each member, and read reads the value.
func eachMember(in *jsontext.Decoder, read func(name jsontext.Value) error) error {
	if in.PeekKind() != '{' {
		return errNotObject
	}
	if _, err := in.ReadToken(); err != nil {
		return err
	}
	for in.PeekKind() != '}' {
		name, err := in.ReadValue()
		if err != nil {
			return err
		}
		if err := read(name); err != nil {
			return err
		}
	}
	_, err := in.ReadToken()
	return err
}
