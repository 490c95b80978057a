package sandbox

import (
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"
)

// maxBody bounds the body of a request. It is nginx's default client_max_body_size.
const maxBody = 1 << 20

type updateJSON struct {
	Message string       `json:"message"`
	Data    customerJSON `json:"data"`
}

// update handles PUT /customers/{id}.
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

	row, refusal := s.put(id, p, received)
	if refusal != nil {
		refusal.buffered().send(w)
		return
	}
	writeJSON(w, http.StatusOK, allowUpdate, updateJSON{
		Message: "Customer updated successfully!",
		Data:    row.json(s.regions),
	})
}

// readBody reads the whole body. If it cannot, it sends the response itself and returns false.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		return body, true
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		http.Error(w, "413 Request Entity Too Large", http.StatusRequestEntityTooLarge)
	} else {
		http.Error(w, "400 Bad Request", http.StatusBadRequest)
	}
	return nil, false
}

// put checks and writes in one critical section, so that no two customers can get the same e-mail.
func (s *Store) put(id int64, p params, received time.Time) (row Row, refusal *Response) {
	s.mu.Lock()
	defer s.mu.Unlock()

	before := s.customers[id]
	row, refusal = s.apply(id, p)
	if refusal == nil {
		s.logWrite(Write{Customer: id, Received: received, Before: before, After: row}, p)
	}
	return row, refusal
}

// apply checks the fields and writes them, or refuses to. The caller holds the lock.
func (s *Store) apply(id int64, p values) (row Row, refusal *Response) {
	// The store checks the fields before it looks for the customer: customer 0 gets a 422 for an e-mail that is taken, and
	// customer 999 gets a "not found" only if the fields are valid.
	if broken := s.validate(p); len(broken) > 0 {
		return Row{}, new(broken.response())
	}
	old, ok := s.customers[id]
	if !ok {
		return Row{}, new(updateNotFound.response())
	}

	row = s.replace(old, p)
	if old.isLinked() {
		// The e-mail stays, whatever was sent (F7). The link before this write counts: a user_id that this write sets takes
		// effect with the next one (F12).
		row.Email = old.Email
		err := s.updateAccount(*old.UserID, row.Email, s.displayName(p), stringOrEmpty(p.text("user_url")))
		if err != nil {
			return Row{}, new(accountUpdateFailed.response())
		}
	}
	if reflect.DeepEqual(row, old) {
		return old, nil
	}
	row.UpdatedAt = time.Now().UTC().Truncate(time.Second) // the column holds whole seconds
	s.customers[id] = row
	return row, nil
}

func stringOrEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// names returns the first and the last name that the store makes from the request's fields. A store with Config.SplitNames
// takes them as they are; any other store splits full_name (F11).
func (s *Store) names(p values) (first, last string) {
	if s.splitNames {
		return sanitize(stringOrEmpty(p.text("first_name"))), sanitize(stringOrEmpty(p.text("last_name")))
	}
	return splitFullName(sanitize(stringOrEmpty(p.text("full_name"))))
}

// displayName returns the whole name before the columns truncate it. WordPress's own limits apply to this one (F8).
func (s *Store) displayName(p values) string {
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
