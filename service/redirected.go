package service

import "github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"

// redirected says where the store redirects to, and what the operator can do about it. The address comes from the store: its
// scheme, host and path only, of bounded length.
func redirected(redirect *fluentcart.Redirect) string {
	if redirect == nil || redirect.To == "" {
		return "the store redirects to another address, which is not followed; the operator must set --store-url to the final one (https, with or without www)"
	}
	message := "the store redirects to " + redirect.To + ", which is not followed; "
	switch redirect.Kind {
	case fluentcart.ToLogin:
		return message + "that is a login page: a plug-in or the host asks for a login before the REST API, and the operator must exempt /wp-json/fluent-cart/ from it"
	case fluentcart.AddsSlash:
		return message + "the site adds a slash to its addresses, and the operator must exempt /wp-json/ from that"
	case fluentcart.RemovesSlash:
		return message + "the site removes the slash at the end of its addresses, and the operator must exempt its REST API from that"
	case fluentcart.ToItself:
		return message + "that is the same address, as the checks for browsers of firewalls redirect; the operator must let the gateway's requests through"
	}
	if redirect.Site != "" {
		return message + "the operator must set --store-url to " + redirect.Site
	}
	return message + "that is not the address of a customer in FluentCart's API; the operator must check --store-url, and what redirects there"
}
