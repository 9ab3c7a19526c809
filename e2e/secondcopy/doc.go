// Package secondcopy is a gRPC client made of a second copy of the protocol's
// descriptors, registered in the process-wide protobuf registry, as the stubs of
// the published clients are. A test that uses it proves that such a client and
// the broker live in one binary: the registry ends a program at its start if two
// copies claim the same names.
//
// It speaks JSON, and knows nothing but the descriptors. Start reading at client.go.
package secondcopy
