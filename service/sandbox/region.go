package sandbox

import _ "embed"

//go:embed regions.json
var regionsJSON []byte

// regions holds the names of countries (ISO 3166-1) and of states. A live store translates the names; the sandbox uses the
// English ones. States are listed for the countries of the fixture for which a store has a list. A store has none for
// France: for "IDF" the live store returned "IDF".
type regions struct {
	Countries map[string]string            `json:"countries"`
	States    map[string]map[string]string `json:"states"` // by country
}

// country returns the country's name, or the code itself if it is unknown: the column takes any text.
func (r regions) country(code *string) string {
	if code == nil {
		return ""
	}
	if name, ok := r.Countries[*code]; ok {
		return name
	}
	return *code
}

// state returns the state's name, or the stored text if it is not a code that the sandbox knows.
func (r regions) state(country, state *string) *string {
	if country == nil || state == nil {
		return state
	}
	if name, ok := r.States[*country][*state]; ok {
		return &name
	}
	return state
}
