// Package pb holds the gRPC stubs of the client protocol: package gateway_protocol, service
// Gateway, the 21 RPCs and the fields of Zeebe 8.6.
//
// Start reading at gateway.proto, the only source. gateway.pb.go and gateway_grpc.pb.go are
// made from it and committed, so that a build needs no tools. After a change run
//
//	go generate ./gateway/pb
//
// with protoc (3.21 or later), protoc-gen-go (1.36) and protoc-gen-go-grpc (1.6) on the PATH.
// A test refuses a gateway.proto that the stubs were not made from.
//
// What differs from plain stubs: nothing is registered in the process-wide protobuf registry.
// That registry admits each proto name once and ends the program at start on a second one, and
// a program that embeds the broker may well link the published client too, whose stubs carry
// the same names. So internal/gen rewrites the stubs to register in Files and Types below.
// The price: whoever looks names up globally does not find these (gRPC reflection by default,
// anypb, the text form of google.protobuf.Any). Hand Files or Types to them instead.
//
// What it refuses: any rule of the protocol. Validation, defaults and error statuses belong
// to package gateway. Fields added after 8.6 are not described here; they arrive as unknown
// fields and are kept.
package pb

//go:generate go run ./internal/gen
