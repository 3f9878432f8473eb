// Package sqlcgen is the Go that sqlc writes from the queries in record/query.
// Only package record calls it; its other files are generated and not edited.
package sqlcgen
