package customer

import "testing"

func TestAddressesAreJudgedAsInWordPress(t *testing.T) {
	for address, accepted := range map[string]bool{
		"ann@example.com":          true,
		"a@b.co":                   true,
		"o'neill+shop@example.com": true,
		".ann.@example.com":        true,
		"ann@1.2.3.4":              true,
		"ann@sub.my-shop.example":  true,
		"a@b.c":                    false, // five bytes
		"ann@localhost":            false,
		"ann@example.":             false,
		"ann@.example":             false,
		"ann@exa..mple":            false,
		"ann@-shop.example":        false,
		"ann@shop-.example":        false,
		"ann@my_shop.example":      false,
		"ann@münchen.example":      false,
		"änn@example.com":          false,
		"ann lee@example.com":      false,
		" ann@example.com":         false,
		"ann@example.com\n":        false,
		"ann@lee@example.com":      false,
		"@example.com":             false,
		"ann.example.com":          false,
		"\"ann\"@example.com":      false,
		"":                         false,
	} {
		if isEmail(address) != accepted {
			t.Errorf("%q: got %v, want %v", address, !accepted, accepted)
		}
	}
}
