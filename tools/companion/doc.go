// Package companion runs the WordPress companion of deploy/wordpress in a real WordPress with a real MariaDB, both of Debian,
// with a stub of FluentCart.
//
// [StartWordPress] gives other tests such a store. The tests of this package show that the companion is exact: whatever a
// plug-in, the database or a signal does during an update, the companion's answer, or its answer to the DELETE that follows an
// unmarked one, says what is in the customer's row.
//
// All statements of WordPress pass a [Gate], which can hold them, or cut the connection, before a statement or after it.
package companion
