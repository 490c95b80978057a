//go:build !race

package service_test

const rounds = 200
