package sandbox

import (
	"encoding/json"
	"net/http"
)

type readJSON struct {
	Customer customerJSON `json:"customer"`
}

// read handles GET /customers/{id}.
func (s *Store) read(w http.ResponseWriter, r *http.Request, id int64) {
	if id == 0 {
		readNotAuthorized.write(w)
		return
	}

	s.mu.RLock()
	row, ok := s.customers[id]
	s.mu.RUnlock()
	if !ok {
		readNotFound.write(w)
		return
	}

	j := s.readForm(row)
	if r.URL.RawQuery == "" || r.URL.Query().Get("params[customer_only]") != "yes" {
		j.SelectedLabels = j.Labels
	}
	writeJSON(w, http.StatusOK, allowRead, readJSON{Customer: *j})
}

// readForm returns a customer as a read with customer_only=yes sends it. The sandbox's customers have no labels. The
// parameter removes selected_labels, and keeps labels (F15).
func (s *Store) readForm(row Row) *customerJSON {
	j := row.json(s.regions)
	j.Labels = json.RawMessage("[]")
	return &j
}
