package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// The bounds of durations. A client of the gateway waits for a minute at most.
const (
	maxDelay      = time.Minute
	maxRetryAfter = time.Hour
)

// parseFault reads the fault that a request asks to set. It reports all errors at once.
func parseFault(body []byte) (*fault, error) {
	var fields map[string]json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(&fields); err != nil || fields == nil {
		return nil, errors.New(`the body is not a JSON object, such as {"fault":"slow","delay":"3s","customer_id":1,"count":2,"on":"write"}`)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object: set one fault with each request")
	}
	var name string
	if err := json.Unmarshal(fields["fault"], &name); err != nil {
		return nil, fmt.Errorf(`"fault": give the name of a fault, one of: %s`, strings.Join(names(), ", "))
	}
	kinds := catalogue()
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return nil, fmt.Errorf("there is no fault %q; there are: %s", shorten(name), strings.Join(names(), ", "))
	}
	k := kinds[i]
	f := &fault{kind: k, on: k.on, parameters: k.defaults}

	var faults []error
	valid := k.fields()
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		var err error
		switch value := fields[field]; {
		case !slices.Contains(valid, field):
			err = fmt.Errorf("%s has no field %q; its fields are: %s", k.name, shorten(field), strings.Join(valid, ", "))
		case field == "on":
			f.on = ""
			if json.Unmarshal(value, &f.on) != nil || !slices.Contains([]string{onRead, onWrite, onCancel, onBoth}, f.on) {
				err = errors.New(`"on": give "read", "write", "cancel" or "both"`)
			}
		case field == "customer_id":
			if json.Unmarshal(value, &f.customer) != nil || f.customer <= 0 {
				err = errors.New(`"customer_id": give a positive number, or leave it out for all customers`)
			}
		case field == "count":
			if json.Unmarshal(value, &f.count) != nil || f.count <= 0 {
				err = errors.New(`"count": give the number of requests, or leave it out for all requests until the fault is cleared`)
			}
		case field == "delay":
			f.delay, err = parseDuration(field, value, maxDelay)
		case field == "applied_after":
			f.appliedAfter, err = parseDuration(field, value, maxDelay)
		case field == "retry_after":
			f.retryAfter, err = parseDuration(field, value, maxRetryAfter)
			if err == nil && f.retryAfter%time.Second != 0 {
				err = errors.New(`"retry_after": give whole seconds`)
			}
		}
		faults = append(faults, err)
	}
	return f, errors.Join(faults...)
}

func parseDuration(field string, value json.RawMessage, most time.Duration) (time.Duration, error) {
	var text string
	if err := json.Unmarshal(value, &text); err == nil {
		if d, err := time.ParseDuration(text); err == nil && d > 0 && d <= most {
			return d, nil
		}
	}
	return 0, fmt.Errorf(`%q: give a duration as text, such as "1500ms" or "3s", of at most %v`, field, most)
}

// fields are the fields that a request for this kind may have.
func (k kind) fields() []string {
	fields := []string{"fault", "on", "customer_id", "count", "delay"}
	if k.defaults.appliedAfter > 0 {
		fields = append(fields, "applied_after")
	}
	if k.defaults.retryAfter > 0 {
		fields = append(fields, "retry_after")
	}
	return fields
}

func names() []string {
	kinds := catalogue()
	names := make([]string, 0, len(kinds))
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// shorten bounds what an error quotes of a request.
func shorten(text string) string {
	const most = 40
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
