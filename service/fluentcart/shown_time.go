package fluentcart

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// shownTime returns a time in UTC and whole seconds, or the zero time for one that cannot be read. Stores write RFC 3339
// or a DATETIME column as it is (F14); plug-ins leave the zone or its colon out, or write Unix seconds.
func shownTime(raw jsontext.Value) time.Time {
	text := shownText(raw)
	var t time.Time
	if seconds := integerOf(text); seconds != nil {
		if *seconds == 0 { // PHP's way to write no time
			return time.Time{}
		}
		t = time.Unix(*seconds, 0)
	} else if parsed, err := time.Parse(timeLayout(text), text); err == nil {
		t = parsed.Truncate(time.Second)
	}
	return representable(t.UTC())
}

// representable returns t, or the zero time if t is outside the years 1 to 9999: neither protobuf nor RFC 3339 has such
// a time. 0000-01-01 is a date that MySQL stores, and an offset can move the first and the last day out of the range.
func representable(t time.Time) time.Time {
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// timeLayout returns the layout of a text that holds a time. time.Parse accepts a fraction of a second without one.
func timeLayout(text string) string {
	const date = len(time.DateOnly)
	if len(text) <= date {
		return time.DateOnly
	}
	zone := ""
	if at := strings.LastIndexAny(text, "+-Z"); at > date {
		zone = zoneLayout(text[at:])
		if text[at-1] == ' ' {
			zone = " " + zone
		}
	}
	switch text[date] {
	case 'T':
		if zone == rfc3339Zone {
			return time.RFC3339 // time.Parse is fastest with it
		}
		return time.DateOnly + "T" + time.TimeOnly + zone
	default:
		return time.DateTime + zone
	}
}

const rfc3339Zone = "Z07:00"

// zoneLayout returns the layout of Z, +02:00, +0200 or +02.
func zoneLayout(zone string) string {
	switch len(zone) {
	case len("+0200"):
		return "Z0700"
	case len("+02"):
		return "Z07"
	}
	return rfc3339Zone
}
