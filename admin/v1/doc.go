// Package adminpb is the protocol by which operators change a running cluster,
// grevy.admin.v1: its description in admin.proto, and the Go code that
// protoc-gen-go and protoc-gen-go-grpc made of it (from the top of the
// repository, with admin/v1/admin.proto as the file and paths=source_relative).
// Nothing but the description is written by hand. Who answers stands in package
// grevy (admin.go).
//
// Start at admin.proto.
package adminpb
