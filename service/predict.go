package service

import "github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"

// predict returns the customer as the store would keep it, or the store's refusal, as far as can be known
// without asking. In names and city the store refuses what it cleans elsewhere (F10).
func (m *merged) predict() (*fluentcart.Customer, error) {
	after := m.customer
	var violations []violation
	for _, f := range fields {
		value := m.asked(f)
		cleaned := clean(value)
		switch f.name {
		case "full_name", "first_name", "last_name", "city":
			if cleaned != trim(value) {
				description := notPlainText
				if m.stored(f.name) {
					description += storedBreaks
				}
				violations = append(violations, violation{f.name, description})
			}
		}
		if f.set != nil && cleaned != value {
			f.set(&after, cleaned)
		}
	}
	if len(violations) > 0 {
		return nil, predictedRefusal(violations)
	}
	return &after, nil
}
