// Package service implements fluentcart.customer.v1.CustomerService over a FluentCart store.
//
// The store's own call replaces a whole customer. UpdateCustomer takes the customer's lease, reads, merges what the
// request names, writes once, and compares what was stored with what was asked. Fields that are not named stay, and
// the response says truthfully whether the write happened. If the store's response is ambiguous, the write is verified
// by reading again. Two limits remain: a store of full names splits them again with every write (F11; a warning says
// so), and a writer that does not use the gateway can come between the read and the write (F23).
//
// # The steps of an update
//
// [Service.UpdateCustomer] is the list of the steps:
//
//  1. admit: admission control, before anything that costs more (reserve.go)
//  2. validate: the request alone; what only a stored value may excuse is left to the merge (package customer)
//  3. verifyAccount: only for callers whose store account is unverified (verify_account.go)
//  4. reserve: the customer's lease, then a slot (reserve.go)
//  5. read: GET; an upstream without it gets the documented call (replace.go)
//  6. merge: etag, merge, authorization (package customer)
//  7. write: PUT, once; it runs to its outcome whatever its caller does (write.go)
//  8. verify the write if its response is ambiguous (verify_write.go)
//
// [Service.GetCustomer] takes the steps 1, 2, 3, 4 without the lease, and 5.
//
// Errors are made from the table of package apierror: the gateway's own in rejection.go, and those for a failed request to
// the store in store_error.go, with the texts in store_refusal.go, redirected.go and bad_read.go.
//
// # Adding an RPC
//
// Add it to proto/ and run make generate; add its method to Service in a file of its own, made of the steps above; add it to
// Shed; add case files to service/server/testdata/cases. Both transports serve it. CONTRIBUTING.md has the list.
//
// # Facts about the store
//
// Comments quote facts about the store by number: F1 to F34 are the rows of fluentcart/BEHAVIOUR.md.
package service
