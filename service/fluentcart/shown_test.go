package fluentcart_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

func read(t *testing.T, columns string) *fluentcart.Customer {
	t.Helper()
	got, err := newClient(t, respond(200, `{"customer":{`+annsColumns+`,`+columns+`}}`)).GetCustomer(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// All four times are read in the same way.
func TestTimesAreReadInAllFormats(t *testing.T) {
	none := time.Time{}
	june := time.Date(2025, 6, 10, 9, 15, 0, 0, time.UTC)
	for _, row := range []struct {
		name, json string
		want       time.Time
	}{
		{"RFC 3339", `"2025-06-10T11:15:00+02:00"`, june},
		{"RFC 3339 in UTC", `"2025-06-10T09:15:00Z"`, june},
		{"a DATETIME column", `"2025-06-10 09:15:00"`, june},
		{"no zone is UTC", `"2025-06-10T09:15:00"`, june},
		{"a zone without a colon", `"2025-06-10T09:15:00+0000"`, june},
		{"a zone of hours only", `"2025-06-10T10:15:00+01"`, june},
		{"a space in place of the T", `"2025-06-10 09:15:00+00:00"`, june},
		{"a space before the zone", `"2025-06-10 04:15:00 -0500"`, june},
		{"a space and a Z", `"2025-06-10 09:15:00Z"`, june},
		{"microseconds are cut", `"2025-06-10T09:15:00.999999Z"`, june},
		{"a fraction of a DATETIME column", `"2025-06-10 09:15:00.123"`, june},
		{"a fraction and no zone", `"2025-06-10T09:15:00.000000"`, june},
		{"Unix seconds", `1749546900`, june},
		{"Unix seconds as text", `"1749546900"`, june},
		{"Unix seconds as a float", `1749546900.0`, june},
		{"a date is its midnight", `"2025-06-10"`, time.Date(2025, 6, 10, 0, 0, 0, 0, time.UTC)},
		{"the last second of the year 9999", `"9999-12-31 23:59:59"`, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		{"the second day of the year 1", `"0001-01-02 00:00:00"`, time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)},
		{"a leap day", `"2024-02-29 00:00:00"`, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},

		{"MySQL's zero", `"0000-00-00 00:00:00"`, none},
		{"the year 0", `"0000-01-01 00:00:00"`, none},
		{"the year 0 once it is in UTC", `"0001-01-01T00:00:00+02:00"`, none},
		{"the year 10000 once it is in UTC", `"9999-12-31T23:59:59-02:00"`, none},
		{"a negative year", `"-0001-11-30T00:00:00+00:00"`, none},
		{"a year of five digits", `"10000-01-01 00:00:00"`, none},
		{"Unix milliseconds are beyond the year 9999", `1749546900000`, none},
		{"the greatest integer", `9223372036854775807`, none},
		{"a number beyond it", `1e300`, none},
		{"zero", `0`, none},
		{"a day that does not exist", `"2025-02-30 00:00:00"`, none},
		{"words", `"yesterday"`, none},
		{"empty text", `""`, none},
		{"null", `null`, none},
		{"a boolean", `true`, none},
		{"PHP's object of a time", `{"date":"2025-06-10 09:15:00.000000","timezone_type":3,"timezone":"UTC"}`, none},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := read(t, `"created_at":`+row.json+`,"updated_at":`+row.json+`,"first_purchase_date":`+row.json+`,"last_purchase_date":`+row.json)
			times := []time.Time{got.CreatedAt, got.UpdatedAt, got.FirstPurchase, got.LastPurchase}
			if diff := cmp.Diff([]time.Time{row.want, row.want, row.want, row.want}, times); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// An amount that is not an integer is unknown. 0 would be a claim.
func TestAmountsThatAreNotIntegersAreUnknown(t *testing.T) {
	for _, row := range []struct {
		name, json string
		want       *int64
	}{
		{"a number", `24900`, pointer(int64(24900))},
		{"a text of digits", `"24900"`, pointer(int64(24900))},
		{"decimals of zeros", `"24900.00"`, pointer(int64(24900))},
		{"an integer in scientific notation", `2.49e4`, pointer(int64(24900))},
		{"a negative number", `-5`, pointer(int64(-5))},
		{"zero", `"0"`, pointer(int64(0))},
		{"the greatest integer", `"9223372036854775807"`, pointer(int64(9223372036854775807))},
		{"an integer beyond it", `"9223372036854775808"`, nil},
		{"separated thousands", `"24,900"`, nil},
		{"a large number in scientific notation", `1e20`, nil},
		{"decimals", `"24900.50"`, nil},
		{"a boolean", `true`, nil},
		{"null", `null`, nil},
		{"empty text", `""`, nil},
		{"a currency", `"$249"`, nil},
		{"a hexadecimal number", `"0x10p4"`, nil},
		{"infinity", `"Inf"`, nil},
		{"a list", `[24900]`, nil},
		{"an object", `{"USD":24900}`, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := read(t, `"ltv":`+row.json+`,"purchase_count":`+row.json+`,"purchase_value":{"EUR":1,"USD":`+row.json+`}`)
			if diff := cmp.Diff([]*int64{row.want, row.want}, []*int64{got.LTV, got.PurchaseCount}); diff != "" {
				t.Errorf("ltv and purchase_count (-want +got):\n%s", diff)
			}
			values := map[string]int64{"EUR": 1}
			if row.want != nil {
				values["USD"] = *row.want
			}
			if diff := cmp.Diff(values, got.PurchaseValue); diff != "" {
				t.Errorf("purchase_value (-want +got):\n%s", diff)
			}
		})
	}
}
