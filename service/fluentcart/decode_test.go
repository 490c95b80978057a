package fluentcart_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

func pointer[T any](value T) *T { return &value }

// The store sends the same column sometimes as a number and sometimes as text, and absent values in three ways (F14).
func TestCustomersAreDecodedInAllFormats(t *testing.T) {
	base := fluentcart.Customer{
		ID: 1, Email: "ann@example.com", FirstName: "Ann", LastName: "Lee", City: pointer("Paris"), State: pointer("IDF"),
		Country: pointer("FR"), Postcode: pointer("75001"), Status: pointer("active"), AOV: pointer("8300.00"),
	}
	uncertain := func(name, shownAs string) func(*fluentcart.Customer) {
		return func(c *fluentcart.Customer) {
			c.Uncertain = []fluentcart.UncertainColumn{{Name: name, ShownAs: shownAs}}
		}
	}
	with := func(change func(*fluentcart.Customer)) fluentcart.Customer {
		customer := base
		change(&customer)
		return customer
	}
	for _, row := range []struct {
		name, columns string
		want          fluentcart.Customer
	}{
		{"the usual", annsColumns, base},
		{"numbers as text", strings.Replace(annsColumns, `"id":1`, `"id":"1","ltv":"24900","purchase_count":"3","contact_id":"7"`, 1), with(func(c *fluentcart.Customer) {
			c.LTV, c.PurchaseCount, c.ContactID = pointer(int64(24900)), pointer(int64(3)), 7
		})},
		{"numbers as numbers", strings.Replace(annsColumns, `"id":1`, `"id":1,"ltv":24900.00,"purchase_count":3,"contact_id":7`, 1), with(func(c *fluentcart.Customer) {
			c.LTV, c.PurchaseCount, c.ContactID = pointer(int64(24900)), pointer(int64(3)), 7
		})},
		{"a text as a number", strings.Replace(annsColumns, `"postcode":"75001"`, `"postcode":75001`, 1), with(uncertain("postcode", "a number"))},
		{"a text as minus zero", strings.Replace(annsColumns, `"postcode":"75001"`, `"postcode":-0`, 1), with(func(c *fluentcart.Customer) {
			c.Postcode = pointer("-0")
			uncertain("postcode", "a number")(c)
		})},
		{"a text as a boolean", strings.Replace(annsColumns, `"status":"active"`, `"status":false`, 1), with(func(c *fluentcart.Customer) {
			c.Status = pointer("")
			uncertain("status", "a boolean")(c)
		})},
		{"a text as a list", strings.Replace(annsColumns, `"city":"Paris"`, `"city":["Paris"]`, 1), with(func(c *fluentcart.Customer) {
			c.City = pointer("")
			uncertain("city", "a list")(c)
		})},
		{"a text as an object", strings.Replace(annsColumns, `"notes":""`, `"notes":{}`, 1), with(uncertain("notes", "an object"))},
		{"a byte that is not UTF-8", strings.Replace(annsColumns, `"notes":""`, "\"notes\":\"caf\xe9\"", 1), with(func(c *fluentcart.Customer) {
			c.Notes = "caf\ufffd"
			uncertain("notes", "text that is not valid UTF-8")(c)
		})},
		{"half a surrogate pair", strings.Replace(annsColumns, `"first_name":"Ann"`, `"first_name":"Ann\ud83d"`, 1), with(func(c *fluentcart.Customer) {
			c.FirstName = "Ann\ufffd"
			uncertain("first_name", "text that is not valid UTF-8")(c)
		})},
		{"two lower halves of surrogate pairs", strings.Replace(annsColumns, `"city":"Paris"`, `"city":"\udc00\udc00"`, 1), with(func(c *fluentcart.Customer) {
			c.City = pointer("\ufffd\ufffd")
			uncertain("city", "text that is not valid UTF-8")(c)
		})},
		{"a whole surrogate pair", strings.Replace(annsColumns, `"city":"Paris"`, `"city":"\ud83d\ude00"`, 1), with(func(c *fluentcart.Customer) { c.City = pointer("\U0001f600") })},
		{"a stored U+FFFD", strings.Replace(annsColumns, `"city":"Paris"`, `"city":"\ufffd \ufffd"`, 1), with(func(c *fluentcart.Customer) { c.City = pointer("\ufffd \ufffd") })},
		{"control characters", strings.Replace(annsColumns, `"city":"Paris"`, `"city":"a\u0000b\u0007"`, 1), with(func(c *fluentcart.Customer) { c.City = pointer("a\x00b\a") })},
		{"composed and decomposed letters", strings.Replace(annsColumns, `"city":"Paris"`, `"city":"é\u0065\u0301"`, 1), with(func(c *fluentcart.Customer) { c.City = pointer("ée\u0301") })},
		{"entities", strings.Replace(annsColumns, `"last_name":"Lee"`, `"last_name":"O&#039;Neill"`, 1), with(func(c *fluentcart.Customer) { c.LastName = "O&#039;Neill" })},
		{"a column twice, the second time as text", strings.Replace(annsColumns, `"city":"Paris"`, `"city":7,"city":"Paris"`, 1), base},
		{"an average order value as an integer", strings.Replace(annsColumns, `"aov":"8300.00"`, `"aov":8300`, 1), with(func(c *fluentcart.Customer) { c.AOV = pointer("8300") })},
		{"an average order value with an exponent", strings.Replace(annsColumns, `"aov":"8300.00"`, `"aov":8.3e3`, 1), with(func(c *fluentcart.Customer) { c.AOV = pointer("8300") })},
		{"an average order value that was rounded to binary", strings.Replace(annsColumns, `"aov":"8300.00"`, `"aov":8300.5500000000002`, 1), with(func(c *fluentcart.Customer) { c.AOV = pointer("8300.5500000000002") })},
		{"an average order value too large for a floating-point number", strings.Replace(annsColumns, `"aov":"8300.00"`, `"aov":90071992547410.01`, 1), with(func(c *fluentcart.Customer) {
			c.AOV = pointer("90071992547410.01")
			uncertain("aov", "a number")(c)
		})},
		{"an average order value as a boolean", strings.Replace(annsColumns, `"aov":"8300.00"`, `"aov":false`, 1), with(func(c *fluentcart.Customer) {
			c.AOV = pointer("")
			uncertain("aov", "a boolean")(c)
		})},
		{"a linked user as a float", strings.Replace(annsColumns, `"user_id":null`, `"user_id":2.0`, 1), with(func(c *fluentcart.Customer) { c.UserID = pointer(int64(2)) })},
		{"a linked user with an exponent, as text", strings.Replace(annsColumns, `"user_id":null`, `"user_id":" 2e1"`, 1), with(func(c *fluentcart.Customer) { c.UserID = pointer(int64(20)) })},
		{"a linked user above 2^53", strings.Replace(annsColumns, `"user_id":null`, `"user_id":9007199254740993`, 1), with(func(c *fluentcart.Customer) { c.UserID = pointer(int64(9007199254740993)) })},
		{"no linked user as false", strings.Replace(annsColumns, `"user_id":null`, `"user_id":false`, 1), base},
		{"an id as a float", strings.Replace(annsColumns, `"id":1`, `"id":1.0`, 1), base},
		{"a linked user as text", strings.Replace(annsColumns, `"user_id":null`, `"user_id":"2"`, 1), with(func(c *fluentcart.Customer) { c.UserID = pointer(int64(2)) })},
		{"a linked user as a number", strings.Replace(annsColumns, `"user_id":null`, `"user_id":2`, 1), with(func(c *fluentcart.Customer) { c.UserID = pointer(int64(2)) })},
		{"an empty user", strings.Replace(annsColumns, `"user_id":null`, `"user_id":""`, 1), base},
		{"NULL", strings.Replace(annsColumns, `"city":"Paris"`, `"city":null`, 1), with(func(c *fluentcart.Customer) { c.City = nil })},
		{"empty text is not NULL", strings.Replace(annsColumns, `"city":"Paris"`, `"city":""`, 1), with(func(c *fluentcart.Customer) { c.City = pointer("") })},
		{"aov as a number", strings.Replace(annsColumns, `"aov":"8300.00"`, `"aov":8300.50`, 1), with(func(c *fluentcart.Customer) { c.AOV = pointer("8300.50") })},
		{"amounts", annsColumns + `,"purchase_value":{"USD":24900,"EUR":"5"}`, with(func(c *fluentcart.Customer) { c.PurchaseValue = map[string]int64{"USD": 24900, "EUR": 5} })},
		{"a picture's address escaped for HTML", annsColumns + `,"photo":"https://secure.gravatar.com/avatar/1?s=100&#038;d=mm&amp;r=g"`, with(func(c *fluentcart.Customer) {
			c.Photo = "https://secure.gravatar.com/avatar/1?s=100&d=mm&r=g"
		})},
		{"no e-mail address", strings.Replace(annsColumns, `"ann@example.com"`, `""`, 1), with(func(c *fluentcart.Customer) { c.Email = "" })},
		{"no e-mail address as NULL", strings.Replace(annsColumns, `"ann@example.com"`, `null`, 1), with(func(c *fluentcart.Customer) { c.Email = "" })},
		{"PHP's empty map", annsColumns + `,"purchase_value":[]`, base},
		{"both forms of time", annsColumns + `,"created_at":"2025-06-10T11:15:00+02:00","first_purchase_date":"2025-06-10 09:15:00","last_purchase_date":"0000-00-00 00:00:00"`, with(func(c *fluentcart.Customer) {
			c.CreatedAt = time.Date(2025, 6, 10, 9, 15, 0, 0, time.UTC)
			c.FirstPurchase = c.CreatedAt
		})},
		{"columns that are only shown may hold anything", annsColumns + `,"ltv":{},"photo":[],"created_at":[7],"purchase_value":"x"`, with(func(*fluentcart.Customer) {})},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := newClient(t, respond(200, `{"customer":{`+row.columns+`}}`)).GetCustomer(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A column that would be written back must be present and readable: a wrong guess would overwrite it (F2).
func TestUnreadableColumnIsAnErrorIfItWouldBeWrittenBack(t *testing.T) {
	for _, row := range []struct{ name, from, to, says string }{
		{"a missing column", `"city":"Paris",`, ``, `lacks "city"`},
		{"no average order value", `,"aov":"8300.00"`, ``, `lacks "aov"`},
		{"a user that is not a number", `"user_id":null`, `"user_id":"two"`, `"user_id" is shown as something that is not an integer`},
		{"a user that may be any", `"user_id":null`, `"user_id":true`, `"user_id" is shown as something`},
		{"half a user", `"user_id":null`, `"user_id":2.5`, `"user_id" is shown as something`},
		{"a rounded user", `"user_id":null`, `"user_id":9.007199254740993e15`, `"user_id" is shown as something`},
		{"no e-mail column", `"email":"ann@example.com",`, ``, `lacks "email"`},
		{"no id", `"id":1,`, ``, `about customer 0`},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := `{"customer":{` + strings.Replace(annsColumns, row.from, row.to, 1) + `}}`
			_, err := newClient(t, respond(200, body)).GetCustomer(t.Context(), 1)
			if got := failure(t, err); got.Kind != fluentcart.BadAnswer || !strings.Contains(got.Error(), row.says) {
				t.Errorf("got %v, want %q", got, row.says)
			}
		})
	}
}

// The documented response to a PUT holds four fields. The others are taken from the expected customer, except updated_at:
// the write has changed it, and the new time is not known.
func TestColumnsMissingInThePutResponseAreTakenFromExpected(t *testing.T) {
	then := time.Date(2025, 6, 10, 9, 15, 0, 0, time.UTC)
	expected := fluentcart.Customer{
		ID: 1, UserID: pointer(int64(2)), ContactID: 3, UUID: "u", Email: "old@example.com", FirstName: "Old", LastName: "Name",
		City: pointer("Lyon"), State: pointer("ARA"), Country: pointer("FR"), Postcode: pointer("69001"), Status: pointer("active"), Notes: "n",
		AOV: pointer("8300.00"), LTV: pointer(int64(24900)), PurchaseCount: pointer(int64(3)), PurchaseValue: map[string]int64{"USD": 24900},
		FirstPurchase: then, LastPurchase: then, CreatedAt: then, UpdatedAt: then, Photo: "p", CountryName: "France", UserLink: "l",
	}
	body := `{"message":"ok","data":{"id":1,"email":"ann@example.com","first_name":"Ann","last_name":""}}`
	got, err := newClient(t, respond(200, body)).PutCustomer(t.Context(), fluentcart.Update{}, expected, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := expected
	want.Email, want.FirstName, want.LastName, want.UpdatedAt = "ann@example.com", "Ann", "", time.Time{}
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A store that shows texts as numbers (JSON_NUMERIC_CHECK) shows the text that was asked for as a number too. Other JSON in a
// column of text leaves the write in doubt.
func TestPutResponseWithANumberForTheTextThatWasAskedFor(t *testing.T) {
	for _, row := range []struct{ name, asked, shown, want string }{
		{"leading zeros", "01067", `1067`, "01067"},
		{"an exponent", "1E5", `100000.0`, "1E5"},
		{"another number", "01067", `1068`, "1068"},
		{"a number for a text", "N1", `1`, "1"},
		{"text", "01067", `"1067"`, "1067"},
		{"a list", "01067", `["01067"]`, ""},
		{"a boolean", "1", `true`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := `{"message":"ok","data":{` + strings.Replace(annsColumns, `"postcode":"75001"`, `"postcode":`+row.shown, 1) + `}}`
			expected := fluentcart.Customer{ID: 1, Postcode: pointer(row.asked)}
			got, err := newClient(t, respond(200, body)).PutCustomer(t.Context(), fluentcart.Update{}, expected, nil)
			if row.want == "" {
				if got := failure(t, err); got.Kind != fluentcart.BadAnswer {
					t.Errorf("got %v", got)
				}
				return
			}
			if err != nil || *got.Postcode != row.want {
				t.Errorf("got %v, %v, want %q", got, err, row.want)
			}
		})
	}
}

// PHP prints warnings in front of the JSON or behind it (F20).
func TestWarningsAroundTheJSONAreSkipped(t *testing.T) {
	for name, body := range map[string]string{
		"in front":             "<br />\n<b>Warning</b>: x in <b>/var/www/x.php</b> on line <b>1</b><br />\n%s",
		"behind":               "%s\n<br /><b>Warning</b>: x",
		"in front, with brace": "Warning: {x} {\"y\":1} in /var/www/x.php\n%s",
		"a byte order mark":    "\ufeff%s",
	} {
		t.Run(name, func(t *testing.T) {
			body := strings.Replace(body, "%s", `{"message":"ok","data":{`+annsColumns+`}}`, 1)
			customer, err := newClient(t, respond(200, body)).PutCustomer(t.Context(), fluentcart.Update{}, fluentcart.Customer{ID: 1}, nil)
			if err != nil || customer.Email != "ann@example.com" {
				t.Errorf("got %+v, %v", customer, err)
			}
		})
	}
}

// The work of finding the JSON is bounded by the bytes of the response, whatever they are.
func TestHostileBodiesCostLittle(t *testing.T) {
	for name, text := range map[string]string{
		"objects within objects":    `{"a":`,
		"braces":                    `{`,
		"empty objects":             `{}`,
		"names without an end":      `{"`,
		"objects that break off":    `{"a":1,`,
		"objects with a late fault": `{"a":[1,2,3],b`,
		"errors":                    `{"code":1}`,
		"spaces between":            "{ \n\t",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			for method, err := range both(t.Context(), newClient(t, respond(200, strings.Repeat(text, 1<<17/len(text))))) {
				if got := failure(t, err); got.Kind != fluentcart.BadAnswer {
					t.Errorf("%s: %v", method, got)
				}
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}
