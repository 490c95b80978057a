package customer

import (
	"strings"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// checkCertain returns STORE_BAD_ANSWER if the write would overwrite a column that the request does not name, and whose
// stored value the read does not show for certain (F2, F14).
func (m *Merged) checkCertain() error {
	if len(m.before.Uncertain) == 0 || !m.Differs() {
		return nil
	}
	var shown, unnamed []string
	replaceable := true
	for _, column := range m.before.Uncertain {
		if m.change.replaces(column.Name) {
			continue
		}
		shown = append(shown, column.Name+" as "+column.ShownAs)
		unnamed = append(unnamed, column.Name)
		_, writable := fieldNamed(column.Name)
		replaceable = replaceable && writable
	}
	if len(unnamed) == 0 {
		return nil
	}
	message := "the store shows " + strings.Join(shown, ", ") + ", which need not be what it stores, and writing the customer back could change it; nothing was written; "
	if replaceable {
		message += "an update that names " + strings.Join(unnamed, ", ") + " too replaces what is stored; "
	}
	return apierror.New(apierror.StoreBadAnswer, apierror.NotSent, message+
		"the operator should look for a plug-in that changes the store's JSON (such as JSON_NUMERIC_CHECK), or for a damaged text in the database")
}

// replaces reports whether the request itself gives the value of a column, so that what is stored there does not matter.
// The full name gives both of its parts. With the mask * the request gives all columns but user_id and aov.
func (c *Change) replaces(column string) bool {
	id, writable := fieldNamed(column)
	switch {
	case !writable:
		return false
	case id == firstName || id == lastName:
		return c.named[id] || c.named[fullName] || c.full
	}
	return c.named[id]
}

// isUncertain reports whether the read does not show for certain what is stored in the column of a field.
func isUncertain(c *fluentcart.Customer, id fieldID) bool {
	for _, column := range c.Uncertain {
		if column.Name == fields[id].name {
			return true
		}
	}
	return false
}
