package customer

import "github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"

// AppliedIn reports whether a customer that was read again shows that the write was applied: it has every value that was
// asked for, and lacked at least one before. A write that the store sanitizes into what was there already (F10) leaves no
// trace, and is never reported as applied.
func (m *Merged) AppliedIn(now *fluentcart.Customer) bool { return m.isIn(now) && !m.isIn(m.before) }

// UnchangedIn reports whether a customer that was read again is as it was before the write.
func (m *Merged) UnchangedIn(now *fluentcart.Customer) bool {
	for _, f := range fields {
		if f.get(now) != f.get(m.before) {
			return false
		}
	}
	return valueOf(now.AOV) == valueOf(m.before.AOV) && now.UpdatedAt.Equal(m.before.UpdatedAt)
}

// ConfirmedBy reports whether the customer in the store's response to the write shows that the write was applied. It does
// not if a field that was to change is as before: then the response may show an earlier state. Without a read there is
// nothing to compare with, and every response confirms the write.
func (m *Merged) ConfirmedBy(stored *fluentcart.Customer) bool {
	if m.before == nil {
		return true
	}
	for i, f := range fields {
		id := fieldID(i)
		if !m.isCompared(id) {
			continue
		}
		asked, was, is := m.asked(id), f.get(m.before), f.get(stored)
		if asked != was && is == was && is != f.sanitized(asked) {
			return false
		}
	}
	return true
}

// isCompared reports whether a field shows that a write was applied. Of the names only the full one does, because each kind
// of store splits it in its own way (F11). The store keeps the e-mail address of a linked customer as it is (F7).
func (m *Merged) isCompared(id fieldID) bool {
	return id != firstName && id != lastName && (id != email || m.LinkedUser() == 0)
}

// isIn reports whether a customer has the value asked for in every column, as it was asked for or as the store
// sanitizes it (F10).
func (m *Merged) isIn(c *fluentcart.Customer) bool {
	for id, f := range fields {
		if !m.isCompared(fieldID(id)) {
			continue
		}
		if asked, stored := m.asked(fieldID(id)), m.shownBy(c, fieldID(id)); stored != asked && stored != f.sanitized(asked) {
			return false
		}
	}
	return true
}

// shownBy returns the value that a customer shows of a field. A text that is shown as the number that was asked for is what
// was asked for: 1067 stands for 01067 (F14).
func (m *Merged) shownBy(c *fluentcart.Customer, id fieldID) value {
	shown := fields[id].get(c)
	if len(c.Uncertain) > 0 && isUncertain(c, id) && fluentcart.SameNumber(m.asked(id).text, shown.text) {
		return m.asked(id)
	}
	return shown
}

// sanitized returns the value as the store keeps it. An entity takes more characters than what it stands for (F28), so a
// value within the limit can become one that the column truncates (F9).
func (f field) sanitized(v value) value {
	clean := sanitize(v.text)
	if f.width > 0 && len(clean) > len(v.text) {
		clean = firstCharacters(clean, f.width)
	}
	return value{text: clean, number: v.number}
}

// firstCharacters returns the first characters of a text.
func firstCharacters(text string, most int) string {
	for at := range text {
		if most == 0 {
			return text[:at]
		}
		most--
	}
	return text
}
