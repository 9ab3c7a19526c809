// Package backup keeps backups of a cluster: in a directory, or in a store that
// speaks the protocol of S3 (docs/formats/backup.md). A backup is one compressed
// file for each partition and a manifest with their sums, which is written last:
// a backup exists exactly if its manifest does.
//
// It takes the parts that rpc Backup streams and gives those that rpc Restore
// takes. What is in the streams, it does not know; that it is what was sent, it
// proves by their sums. It refuses streams that end before their end, and
// manifests that it does not understand. It never holds a stream in memory.
//
// Start at Write and Read. Store is the seam: dir.go and s3.go implement it.
package backup
