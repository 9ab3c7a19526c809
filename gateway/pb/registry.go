package pb

import "google.golang.org/protobuf/reflect/protoregistry"

// Files holds the descriptor of gateway.proto, and nothing else. It is the descriptor
// resolver for gRPC reflection (grpc/reflection.ServerOptions.DescriptorResolver). It is
// filled by this package's init, so before anything of an importing package runs; treat it
// as read-only.
var Files = new(protoregistry.Files)

// Types holds the message and enum types of gateway.proto, for whoever resolves a type by its
// name (protojson and prototext take it as their Resolver). Treat it as read-only.
var Types = new(protoregistry.Types)
