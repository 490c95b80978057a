package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// The companion of the store: what it answers to an update, with the ids of the request and of the customer filled in. The
// customer before the write is the row as the database gives it, the customer after it is what a PUT answers.
const (
	companionRoute  = "/wp-json/fluentcart-gateway/v1"
	companionReady  = `{"namespace":"fluentcart-gateway/v1","fluentcart_gateway":1,"version":"1.0.0","ready":true,"refuses":[]}`
	companionAnswer = `{"fluentcart_gateway":1,"request_id":"%[2]s","result":"applied","version":"mZ0qAzVd2dBaRkXvlbYtTg",` +
		`"before":{"id":"%[1]s","user_id":null,"contact_id":"0","email":"ann@example.com","first_name":"Ann","last_name":"Lee","status":"active",` +
		`"purchase_value":"{\"USD\":24900}","purchase_count":"3","ltv":"24900","first_purchase_date":"2025-06-10 09:15:00",` +
		`"last_purchase_date":"2025-09-20 14:30:00","aov":"8300.00","notes":"prefers email","uuid":"11111111111111111111111111111111",` +
		`"country":"FR","city":"` + storedCity + `","state":"IDF","postcode":"75001","created_at":"2025-06-10 09:15:00",` +
		`"updated_at":"2026-11-23 17:47:51"},"customer":{COLUMNS},"changed":["city"]}`
)

// serveCompanion returns the handler of the companion's routes. Each update changes the city from the old one to the new one.
func serveCompanion() http.HandlerFunc {
	applied := strings.Replace(companionAnswer, "COLUMNS", strings.ReplaceAll(strings.Replace(columns, "%s", "%[1]s", 1), "CITY", newCity), 1)
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		if r.Method != http.MethodPost {
			_, _ = fmt.Fprint(w, companionReady)
			return
		}
		var sent struct {
			RequestID string `json:"request_id"`
		}
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = fmt.Fprintf(w, applied, lastSegment(r.URL.Path), sent.RequestID) //nolint:gosec // a path of the load
	}
}

func lastSegment(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
