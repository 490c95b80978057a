// Package service implements fluentcart.customer.v1.CustomerService over a FluentCart store.
//
// The store's own call replaces a whole customer. UpdateCustomer changes what the request names, once, and compares what was
// stored with what was asked. Fields that are not named stay, and the response says truthfully whether the write happened.
//
// There are two ways to do that. Where the store has the companion, a WordPress plug-in, one request to it merges in a
// transaction (write mode atomic). If its answer is ambiguous, the request is cancelled. Elsewhere the gateway takes the customer's
// lease, reads, merges, and writes (write mode merge). If the store's response is ambiguous, the write is verified by reading
// again. There two limits remain: a store of full names splits them again with every write (F11; a warning says so), and a writer
// that does not use the gateway can come between the read and the write (F23). Write mode replace only writes.
//
// # The steps of an update
//
// [Service.UpdateCustomer] has the steps that all ways have in common:
//
//  1. updater: choose the way (write_mode.go, companion.go, watch_companion.go)
//  2. admit: admission control, before anything that costs more (reserve.go)
//  3. validate: the request alone; what only a stored value may excuse is left to the merge (package customer)
//  4. verifyAccount: only for callers whose store account is unverified (verify_account.go)
//  5. update, by the way
//
// readMergeWrite (read_merge_write.go) continues with
//
//  1. reserve: the customer's lease, then a slot (reserve.go)
//  2. read: GET; an upstream without it gets the documented call (replace.go)
//  3. decide: etag, merge, authorization (package customer); a dry run, and an update without a change, end here
//  4. put: PUT, once; it runs to its outcome whatever its caller does (write.go)
//  5. verify the write if its response is ambiguous (verify_write.go)
//
// atomicUpdate (atomic.go) continues with
//
//  1. reserve: a slot; a lease only while updates of the other way may be left
//  2. apply: POST, once for each round; it runs to its outcome whatever its caller does (companion_write.go)
//  3. follow: decide, if the companion returns the customer without writing; then another POST for that version of the customer
//  4. cancel the request if its answer is ambiguous (cancel.go)
//
// replace (replace.go) reserves, and puts. If the companion turns out to be missing, UpdateCustomer continues in the other way, unless
// the write mode forbids it.
//
// [Service.GetCustomer] takes the steps admit, validate and verifyAccount, reserve without the lease, and read.
//
// Errors are made from the table of package apierror: the gateway's own in rejection.go, and those for a failed request to
// the store in store_error.go, with the texts in store_refusal.go, redirected.go and bad_read.go. Those of the companion are in companion_error.go.
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
