// Package playground tests the playground of the gateway in a real browser.
package playground
