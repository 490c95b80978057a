// Package e2e tests the binary: real processes, a real Redis, stores that fail, floods, kills, rotated secrets and load.
//
// The tests that take long run only if SOAK is set: SOAK=short takes three minutes, SOAK=long half an hour. They need
// Linux (/proc, chrt) and redis-server; a test whose program is missing is skipped, except in CI, where it fails.
package e2e
