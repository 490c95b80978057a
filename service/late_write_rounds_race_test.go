//go:build race

package service_test

// rounds is smaller than without the race detector, which makes each ten times as slow.
const rounds = 60
