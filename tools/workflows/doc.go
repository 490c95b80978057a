// Package workflows has the tests of .github: the workflows call the commands that exist, with no more rights than they need, and
// the updates of dependencies cover the whole repository. `make lint` runs actionlint on the workflows.
package workflows
