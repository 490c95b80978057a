package service

import "github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"

// landed reports whether a customer that was read shows that the write has happened: it is all as asked for, and was
// not before. A write that changes nothing that can be seen, since the store cleans it into what is there already,
// leaves no trace, and is never reported.
func (m *merged) landed(now *fluentcart.Customer) bool {
	return m.isHeldBy(now) && !m.isHeldBy(m.before)
}

// isHeldBy reports whether a customer has what was asked for in all columns, as it was asked or as the store cleans it
// (F10). Of the names the whole counts: how it is parted is the store's affair (F11).
func (m *merged) isHeldBy(c *fluentcart.Customer) bool {
	for _, f := range fields {
		if f.name == "first_name" || f.name == "last_name" {
			continue
		}
		if asked, is := m.asked(f), f.get(c); is != asked && is != clean(asked) {
			return false
		}
	}
	return true
}
