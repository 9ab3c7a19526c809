package secondcopy

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/grevy-io/grevy/gateway/pb"
)

// register puts a copy of gateway.proto into the process-wide registry, once. It
// fails if somebody, such as the broker, has put one there before.
var register = sync.OnceValues(func() (protoreflect.ServiceDescriptor, error) {
	file, err := protodesc.NewFile(protodesc.ToFileDescriptorProto(pb.File_gateway_proto), protoregistry.GlobalFiles)
	if err != nil {
		return nil, fmt.Errorf("copy gateway.proto: %w", err)
	}
	if err := protoregistry.GlobalFiles.RegisterFile(file); err != nil {
		return nil, fmt.Errorf("register gateway.proto: %w", err)
	}
	var errs []error
	for i := range file.Messages().Len() {
		errs = append(errs, protoregistry.GlobalTypes.RegisterMessage(dynamicpb.NewMessageType(file.Messages().Get(i))))
	}
	return file.Services().ByName("Gateway"), errors.Join(errs...)
})

// Client calls one gateway.
type Client struct {
	conn    *grpc.ClientConn
	service protoreflect.ServiceDescriptor
}

// Dial makes a client for the gateway at addr, host:port. Close it after use.
func Dial(addr string) (*Client, error) {
	service, err := register()
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", addr, err)
	}
	return &Client{conn, service}, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Call calls a method that has one response. Request and response are JSON, as
// protobuf defines it for the messages of the method.
func (c *Client) Call(ctx context.Context, method, request string) (response string, err error) {
	m := c.service.Methods().ByName(protoreflect.Name(method))
	if m == nil || m.IsStreamingServer() {
		return "", fmt.Errorf("call %s: no such method with one response", method)
	}
	in, out := dynamicpb.NewMessage(m.Input()), dynamicpb.NewMessage(m.Output())
	if err := protojson.Unmarshal([]byte(request), in); err != nil {
		return "", fmt.Errorf("call %s: %w", method, err)
	}
	if err := c.conn.Invoke(ctx, fmt.Sprintf("/%s/%s", c.service.FullName(), method), in, out); err != nil {
		return "", err // a status that the caller may look at
	}
	b, err := protojson.Marshal(out)
	return string(b), err
}
