package sandbox

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// maxBody is how much of a body is read: nginx's client_max_body_size, where nobody set another.
const maxBody = 1 << 20

type updateJSON struct {
	Message string       `json:"message"`
	Data    customerJSON `json:"data"`
}

// update is PUT /customers/{id}.
func (s *Store) update(w http.ResponseWriter, r *http.Request, id int64, received time.Time) {
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	p, ok := parseParams(r.Header.Get("Content-Type"), body)
	if !ok {
		invalidJSON.write(w)
		return
	}
	if p.hasListForText() {
		pluginException.write(w)
		return
	}

	c, faults, failure := s.put(id, p, received)
	switch {
	case len(faults) > 0:
		writeJSON(w, http.StatusUnprocessableEntity, allowUpdate, faults)
	case failure != nil:
		failure.write(w)
	default:
		writeJSON(w, http.StatusOK, allowUpdate, updateJSON{
			Message: "Customer updated successfully!",
			Data:    c.json(),
		})
	}
}

// readBody reads the whole body, and answers itself where it cannot.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		return body, true
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		http.Error(w, "413 Request Entity Too Large", http.StatusRequestEntityTooLarge)
	} else {
		http.Error(w, "400 Bad Request", http.StatusBadRequest)
	}
	return nil, false
}

// put checks and writes in one critical section, so that no two customers can take one e-mail.
func (s *Store) put(id int64, p params, received time.Time) (customer, faults, *answer) {
	s.mu.Lock()
	defer s.mu.Unlock()

	// The fields are checked before anyone asks whether the customer exists: customer 0 gets a 422 for an e-mail that
	// is taken, and customer 999 a "not found" only when the fields are in order.
	if f := s.validate(p); len(f) > 0 {
		return customer{}, f, nil
	}
	old, ok := s.customers[id]
	if !ok {
		return customer{}, nil, &updateNotFound
	}

	row := s.replace(old.row, p)
	if old.row.isLinked() {
		// The e-mail stays, whatever was sent (F7). It is the link before this write that counts: a user_id that
		// this write sets is looked at by the next (F12).
		row.Email = old.row.Email
		err := s.updateAccount(*old.row.UserID, row.Email, s.displayName(p), stringOrEmpty(p.text("user_url")))
		if err != nil {
			return customer{}, nil, &accountUpdateFailed
		}
	}
	if row.sameWritable(old.row) {
		s.logWrite(received, old.row, old.row, p)
		return old, nil, nil
	}
	row.UpdatedAt = time.Now().UTC().Truncate(time.Second) // the column holds whole seconds
	c := newCustomer(row)
	s.customers[id] = c
	s.logWrite(received, old.row, row, p)
	return c, nil, nil
}

// replace is the row with every writable column as the fields say; a field left out clears its column (F2, F4).
// Read-only fields, the body's id among them, are not looked at (F16).
func (s *Store) replace(row Row, p params) Row {
	first, last := s.names(p)
	row.FirstName = cut(first, nameColumn)
	row.LastName = cut(last, nameColumn)
	row.Email = cut(sanitize(stringOrEmpty(p.text("email"))), nameColumn)
	row.UserID = p.integer("user_id")
	row.AOV = decimal(p.text("aov"))
	row.Notes = sanitize(stringOrEmpty(p.text("notes")))
	row.Status = cutShort(sanitizePtr(p.text("status")))
	row.Country = cutShort(sanitizePtr(p.text("country")))
	row.City = cutShort(sanitizePtr(p.text("city")))
	row.State = cutShort(sanitizePtr(p.text("state")))
	row.Postcode = cutShort(sanitizePtr(p.text("postcode")))
	return row
}

func stringOrEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
