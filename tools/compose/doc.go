// Package compose tests deploy/compose: the file itself, and the programs that it describes.
package compose
