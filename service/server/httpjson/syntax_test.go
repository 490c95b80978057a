package httpjson

import (
	"strings"
	"testing"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

func TestSyntaxErrorsSayWhereABodyBreaks(t *testing.T) {
	const notObject = `must be one JSON object, such as {"city":"Paris"}`
	const notValue = "a value is expected: a text in double quotes, a number, true, false or null"
	for _, row := range []struct{ name, body, says string }{
		{"single quotes", `{'city':'Tours'}`, `is not JSON at line 1, column 2 (byte offset 1): names and texts have straight double quotes (") around them`},
		{"typographic quotes, behind letters of two bytes", "{\n  \"city\": \"Zürich\",\n  \"state\": “Tours”\n}", `is not JSON at line 3, column 12 (byte offset 34): names and texts have straight double quotes (") around them`},
		{"a comma behind the last member", `{"city":"Tours", }`, "is not JSON at line 1, column 16 (byte offset 15): a comma is expected only between two members, and not after the last one"},
		{"two commas", `{"city":"Tours",,"state":"x"}`, "is not JSON at line 1, column 17 (byte offset 16): a comma is expected only between two members, and not after the last one"},
		{"a comma behind the last member of a list", `{"city":["Tours",]}`, "(byte offset 17): a comma is expected only between two members, and not after the last one"},
		{"no comma between members", `{"city":"Tours" "state":"x"}`, "(byte offset 16): a comma or a closing bracket is expected after a value"},
		{"the wrong bracket", `{"city":"Tours"]`, "(byte offset 15): a comma or a closing bracket is expected after a value"},
		{"no closing brace", `{"city":"Tours"`, "(byte offset 15): it ends before its object is closed by }"},
		{"cut off in a text", `{"city":"Tou`, "(byte offset 12): it ends before its object is closed by }"},
		{"cut off before a value", `{"city":`, "(byte offset 8): it ends before its object is closed by }"},
		{"cut off at its beginning", `{`, "(byte offset 1): it ends before its object is closed by }"},
		{"no quotes around a name", `{city:"Tours"}`, "(byte offset 1): a name in double quotes is expected"},
		{"a number as a name", `{"state":"x",5:"Tours"}`, "(byte offset 13): a name in double quotes is expected"},
		{"no quotes around a text", `{"city":Tours}`, "(byte offset 8): " + notValue},
		{"no value", `{"city":}`, "(byte offset 8): " + notValue},
		{"no colon", `{"city" "Tours"}`, "(byte offset 8): a colon is expected between a name and its value"},
		{"NaN", `{"user_id":NaN}`, "(byte offset 11): " + notValue},
		{"Python's True", `{"city":True}`, "(byte offset 8): " + notValue},
		{"undefined", `{"city":undefined}`, "(byte offset 8): " + notValue},
		{"half a word", `{"city":tru}`, "(byte offset 11): " + notValue},
		{"half a number", `{"user_id":1.}`, "(byte offset 13): " + notValue},
		{"a number that begins with 0", `{"postcode":07100}`, "(byte offset 13): a number must not begin with 0; a text has double quotes around it"},
		{"a comment", `{"city":"Tours" // the capital` + "\n}", "(byte offset 16): there are no comments in JSON"},
		{"a comment of a script", "{\n# Tours\n}", "is not JSON at line 2, column 1 (byte offset 2): there are no comments in JSON"},
		{"a line break in a text", "{\"notes\":\"Tours\n2\"}", `(byte offset 15): a control character, such as a line break or a tab, must be written as \n, \t or \u0000 in a text`},
		{"an unknown escape", `{"notes":"Tours\x"}`, `(byte offset 15): this is not an escape of JSON; a backslash in a text is written as \\`},
		{"nested too deep", `{"city":` + strings.Repeat("[", 20000), "it is nested too deep"},
		{"objects nested too deep", strings.Repeat(`{"city":`, 20000), "it is nested too deep"},
		{"two objects", `{"city":"Tours"}` + "\n" + `{"state":"x"}`, notObject + ", and nothing after it; there is more at line 2, column 1 (byte offset 17)"},
		{"a semicolon behind the object", `{"city":"Tours"} ;`, "there is more at line 1, column 18 (byte offset 17)"},
		{"a form", `city=Tours&state=x`, notObject + ", and not a form"},
		{"a form of PHP", `customer[city]=Tours`, notObject + ", and not a form"},
		{"a form with files", "--bound'ary\r\nContent-Disposition: form-data; name=city\r\n\r\nTours", notObject + ", and not a form"},
		{"a list", `[{"city":"Tours"}]`, notObject},
		{"a text", `"Tours"`, notObject},
		{"a page", `<city>Tours</city>`, notObject},
		{"null", `null`, notObject},
		{"a byte order mark", "\ufeff" + `{"city":"Tours"}`, "must not begin with a byte order mark"},
		{"a byte that is not UTF-8", "{\"city\":\"\u00fc\xffTours\"}", "is not UTF-8 at line 1, column 11 (byte offset 11)"},
		{"UTF-16", "\xff\xfe{\x00}\x00", "is not UTF-8 at line 1, column 1 (byte offset 0)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			violations := readObject([]byte(row.body), (&customerv1.Customer{}).ProtoReflect(), false)
			if len(violations) != 1 || violations[0].Field != "body" || !strings.HasSuffix(violations[0].Description, row.says) && !strings.HasPrefix(violations[0].Description, row.says) {
				t.Errorf("%q, want %s", violations, row.says)
			}
			for _, v := range violations {
				if strings.Contains(v.Description, "Tou") {
					t.Errorf("repeats the body: %s", v.Description)
				}
			}
		})
	}
}

// Wherever a body is cut off or has a wrong byte, the error has a position within the body, and repeats no part of it.
func TestSyntaxErrorsOfAllDamagedBodies(t *testing.T) {
	const whole = "{\"notes\" : \"Tours \\n \\u00fc\", \"user_id\":-10.5e3,\n\"email\":[null, true, {\"Tours\": false}]}"
	for i := range len(whole) + 1 {
		bodies := []string{whole[:i]}
		for _, wrong := range []string{"'", "\"", "\\", "\x00", "\n", ",", ":", "{", "}", "[", "]", "0", "T", "\xff", "é", "/", ""} {
			bodies = append(bodies, whole[:i]+wrong+whole[min(i+1, len(whole)):], whole[:i]+wrong+whole[i:])
		}
		for _, body := range bodies {
			for _, v := range readObject([]byte(body), (&customerv1.Customer{}).ProtoReflect(), false) {
				if v.Field == "body" && (strings.Contains(v.Description, "Tou") || v.Description == "") {
					t.Errorf("%q: %s", body, v.Description)
				}
			}
		}
	}
}
