package fluentcart

import (
	"strconv"
	"strings"
)

// other replaces every code, field and rule that is not in the lists below. A name that a store sends may be any text, such
// as the e-mail address of a customer, so errors and logs show known names only.
const other = "(other)"

// shownCode returns a code as errors show it: empty for none, a number from 100 to 599, or a known name.
func shownCode(code string) string {
	if n, err := strconv.Atoi(code); err == nil && n >= 100 && n <= 599 && strconv.Itoa(n) == code {
		return code
	}
	switch code {
	case "",
		// Measured (F6, F16, F18, F19, and the recordings).
		codeNoCustomer, "plugin_exception", "rest_forbidden", "rest_no_route", "rest_invalid_json", codeDied, "internal_server_error",
		// The other codes of WordPress's REST API for parameters and authentication.
		"rest_invalid_param", "rest_missing_callback_param", "rest_not_logged_in", "rest_cookie_invalid_nonce",
		// The codes of WordPress's application passwords.
		"incorrect_password", "invalid_username", "invalid_email", "application_passwords_disabled", "application_passwords_disabled_for_user":
		return code
	}
	return other
}

// shownCause returns why the companion rolled back, as errors show it: one of the protocol's causes.
func shownCause(cause string) string {
	switch cause {
	case CauseDeadlock, CauseLockTimeout, "database", "transaction", CauseUnaskedChange, "died", CauseUnsupported:
		return cause
	}
	return other
}

// maxShownCodes bounds the list of codes of the companion.
const maxShownCodes = 16

// shownCodes returns why the companion accepts no updates, as the log shows it: short words.
func shownCodes(codes []string) []string {
	codes = codes[:min(len(codes), maxShownCodes)]
	shown := make([]string, 0, len(codes))
	for _, code := range codes {
		if code == "" || len(code) > 40 || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz_") != "" {
			code = other
		}
		shown = append(shown, code)
	}
	return shown
}

// shownVersion returns the version of the companion as the log shows it: digits and points.
func shownVersion(version string) string {
	if version == "" || len(version) > 20 || strings.Trim(version, "0123456789.") != "" {
		return other
	}
	return version
}

// shownField returns a field as errors show it: a column that a PUT overwrites, or another field of the documented bodies
// or of F3 and F4.
func shownField(field string) string {
	if isWritten(field) {
		return field
	}
	switch field {
	case "full_name", "id", "user_url", "username", "user_nicename", "display_name":
		return field
	}
	return other
}

// shownRule returns a rule as errors show it: one of the measured rules (F5).
func shownRule(rule string) string {
	switch rule {
	case "required", "email", "exist", "maxLength", "sanitizeText":
		return rule
	}
	return other
}
