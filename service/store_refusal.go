package service

import (
	"context"
	"fmt"
	"net/http"

	"google.golang.org/protobuf/protoadapt"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// blocked returns the error of a page that a firewall or a host sent in the store's place (F30). It blames neither the
// credentials nor the user.
func blocked(state apierror.WriteState, failure *fluentcart.Error) error {
	source := "a firewall or the host"
	if failure.Source != "" {
		source = "likely " + failure.Source
	}
	message := fmt.Sprintf("something in front of the store (%s) answered in its place, with HTTP status %d; nothing was written: "+
		"the operator should allow the gateway there, or the request has a text or came at a rate that is blocked", source, failure.Status)
	return storeError(apierror.StoreBlocked, state, message, failure, retryInfo(failure)...)
}

// methodRefused returns the error of a 405 or 501. Every FluentCart store serves GET, so one to a read comes from an
// upstream that only knows the documented PUT; one to a write comes from a host that refuses the method (F30).
func methodRefused(state apierror.WriteState, failure *fluentcart.Error) error {
	if failure.Method == http.MethodGet {
		return storeError(apierror.StoreRouteMissing, state, fmt.Sprintf("the store serves no GET (HTTP status %d): ", failure.Status)+onlyPut, failure)
	}
	return storeError(apierror.StoreBlocked, state, fmt.Sprintf("the store's host refuses PUT (HTTP status %d); nothing was written: "+
		"the operator should allow the method there, or set --store-put-as-post; if that is set, the host refuses POST as well", failure.Status), failure, retryInfo(failure)...)
}

// onlyPut says how an upstream that does not serve the read can be used.
const onlyPut = "FluentCart does, so --store-url may be another program; for one that only knows the documented PUT, " +
	"name all nine documented fields in each update, or set --write-mode=replace"

// missingRoute says why a 404 may have come. One in the form of WordPress shows that the address is that of a WordPress site.
func missingRoute(failure *fluentcart.Error) string {
	switch {
	case failure.FromWordPress && failure.Method == http.MethodPut:
		return "FluentCart is switched off there, or --store-url is the address of another WordPress site, or something in front of WordPress " +
			"changes the method of the request (with --store-put-as-post: removes the header X-HTTP-Method-Override)"
	case failure.FromWordPress:
		return "FluentCart is switched off there, or --store-url is the address of another WordPress site"
	case failure.Method == http.MethodGet:
		return "--store-url is not the address of the WordPress site, or the site has plain permalinks and needs /?rest_route=/ behind it; " +
			"for a program that only knows the documented PUT, name all nine documented fields in each update, or set --write-mode=replace"
	}
	return "FluentCart is switched off there, or --store-url is not the address of the WordPress site"
}

func retryInfo(failure *fluentcart.Error) []protoadapt.MessageV1 {
	if failure.RetryAfter == 0 {
		return nil
	}
	return []protoadapt.MessageV1{apierror.RetryInfo(failure.RetryAfter)}
}

// credentialsRefused returns the error of a 401 or 403 (F18), which depends on whose account the store refused: the caller's
// own or the gateway's. A page with 401 comes from the web server in front of WordPress, and says nothing about either.
func credentialsRefused(ctx context.Context, state apierror.WriteState, failure *fluentcart.Error) error {
	own := callerOf(ctx).Store != nil
	switch {
	case own && failure.IsPage:
		return blocked(state, failure)
	case own && failure.Kind == fluentcart.Unauthenticated:
		return storeError(apierror.StoreUnauthenticated, state, "the store does not accept this user name and application password: "+unauthenticatedCause(failure)+"; nothing was written", failure)
	case own:
		return storeError(apierror.StoreForbidden, state, "the store does not let this user manage customers; nothing was written; use the account of a user that may", failure)
	case failure.Kind == fluentcart.Unauthenticated:
		return storeError(apierror.StoreCredentials, state, "the store refused the gateway's own credentials: "+unauthenticatedCause(failure), failure)
	}
	return storeError(apierror.StoreCredentials, state, "the store does not let the gateway's user manage customers; "+
		"the operator must give the gateway an application password of a user who may", failure)
}

// unauthenticatedCause says why WordPress may have refused a right password, as far as the response shows it.
func unauthenticatedCause(failure *fluentcart.Error) string {
	switch failure.Code {
	case "incorrect_password":
		return "the application password is wrong, or it was revoked"
	case "invalid_username", "invalid_email":
		return "WordPress has no such user; give the user's login name"
	case "application_passwords_disabled":
		return "application passwords are switched off in WordPress, by a plug-in or because the site is not served over https"
	case "application_passwords_disabled_for_user":
		return "application passwords are switched off for this user"
	}
	switch {
	case failure.IsPage:
		return "the web server in front of WordPress asks for a password of its own, as a staging site does, and the gateway cannot send two; open the REST API there for the gateway"
	case failure.FromWordPress:
		return "WordPress saw no valid application password. Either it is wrong or was revoked, or the web server strips the Authorization header, " +
			"or application passwords are switched off, or WordPress is served over plain http, or does not know that a proxy in front of it ends TLS"
	}
	return "the response does not come from WordPress; a password lock of the web server may be in front of it"
}
