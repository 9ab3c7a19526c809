// Package certs keeps a certificate, its key and the authorities that are
// trusted, read from files, and makes of them what crypto/tls needs: for ports
// that clients use, and for connections between nodes, where both ends show a
// certificate.
//
// The files are looked at again when connections are made, so that a
// certificate is renewed without a restart. Files that are no good are refused
// at the start; later they are logged and what was read before stays.
//
// A nil *Store is a port without TLS: nothing is wrapped, nothing costs.
//
// What it refuses: to know what a connection carries, and to make certificates;
// for tests certstest does.
//
// Start reading at store.go; conn.go is what connections between nodes use.
package certs
