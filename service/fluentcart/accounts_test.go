package fluentcart_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestRefusedCredentialsAreKnownUntilTheStoreLetsThemIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		password := &rotating{inUse: "old", onDisk: "old"}
		store, client := newBubbleStore(t, password.config())
		expect := func(after string, refused bool) {
			t.Helper()
			if got := client.CredentialsRefused(t.Context()); got != refused {
				t.Errorf("%s: refused is %v", after, got)
			}
		}
		expect("at first", false)
		for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
			store.play(answering(status, `{"code":"rest_forbidden","message":"Sorry, you are not allowed to do that."}`))
			_ = get(t.Context(), client)
			expect("after a refusal", true)

			store.play(answering(http.StatusInternalServerError, `oops`))
			_ = get(t.Context(), client)
			expect("after an answer that tells nothing of it", true)

			store.play(answering(http.StatusNotFound, `{"code":"fluent_cart_entity_not_found","message":"Customer not found"}`))
			_ = get(t.Context(), client)
			expect("after an answer that only those get who are let in", false)
		}

		store.play(answering(http.StatusUnauthorized, `{}`))
		_ = get(t.Context(), client)
		password.inUse = "new"
		expect("with another password", false)
		password.inUse = "old"
		expect("with the refused one again", true)
		<-time.After(30 * time.Second)
		expect("half a minute later, for somebody must try", false)
	})
}
