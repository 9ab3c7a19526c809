package gateway

import (
	"context"
	"runtime/debug"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/grevy-io/grevy/gateway/pb"
)

// built are the RPCs that have a handler. All others are UNIMPLEMENTED.
var built = map[string]bool{
	"Topology": true, "DeployResource": true, "DeployProcess": true,
	"CreateProcessInstance": true, "CreateProcessInstanceWithResult": true, "CancelProcessInstance": true,
	"ActivateJobs": true, "StreamActivatedJobs": true, "CompleteJob": true, "FailJob": true, "ThrowError": true,
	"UpdateJobRetries": true, "UpdateJobTimeout": true, "SetVariables": true, "ResolveIncident": true,
}

// service holds the handlers; its methods are spread over the files by subject.
type service struct {
	pb.UnimplementedGatewayServer
	*Server
}

func (s *Server) register() {
	desc := pb.Gateway_ServiceDesc
	desc.Methods = append([]grpc.MethodDesc(nil), desc.Methods...)
	for i := range desc.Methods {
		m := &desc.Methods[i]
		m.Handler = s.surround(m.MethodName, m.Handler)
	}
	desc.Streams = append([]grpc.StreamDesc(nil), desc.Streams...)
	for i := range desc.Streams {
		st := &desc.Streams[i]
		st.Handler = s.surroundStream(st.StreamName, st.Handler)
	}
	s.grpc.RegisterService(&desc, service{Server: s})
	grpc_health_v1.RegisterHealthServer(s.grpc, s.health)
	s.health.SetServingStatus(desc.ServiceName, grpc_health_v1.HealthCheckResponse_SERVING)
	o := reflection.ServerOptions{Services: s.grpc, DescriptorResolver: descriptors{}, ExtensionResolver: pb.Types}
	reflectionv1.RegisterServerReflectionServer(s.grpc, reflection.NewServerV1(o))
	reflectionv1alpha.RegisterServerReflectionServer(s.grpc, reflection.NewServer(o))
}

// surround puts around a unary handler what every call has: a request that is
// read and measured, a status, a recovered panic, an observation. It wraps the
// generated handlers, since an interceptor comes too late for the first.
func (s *Server) surround(name string, next grpc.MethodHandler) grpc.MethodHandler {
	if !built[name] {
		next = func(any, context.Context, func(any) error, grpc.UnaryServerInterceptor) (any, error) {
			return nil, unsupported(name)
		}
	}
	return func(srv any, ctx context.Context, dec func(any) error, ic grpc.UnaryServerInterceptor) (resp any, err error) {
		start := time.Now()
		defer func() {
			if p := recover(); p != nil {
				resp, err = nil, s.caught(name, p)
			}
			s.observe(name, err, start)
		}()
		resp, err = next(srv, ctx, func(m any) error { return s.read(dec, m) }, ic)
		if err != nil {
			return nil, toStatus(err)
		}
		return resp, nil
	}
}

func (s *Server) surroundStream(name string, next grpc.StreamHandler) grpc.StreamHandler {
	return func(srv any, stream grpc.ServerStream) (err error) {
		start := time.Now()
		defer func() {
			if p := recover(); p != nil {
				err = s.caught(name, p)
			}
			s.observe(name, err, start)
		}()
		return toStatus(next(srv, requestStream{stream, s}))
	}
}

func (s *Server) read(dec func(any) error, m any) error {
	in := incoming{message: m, limit: s.cfg.MaxMessageSize}
	if err := dec(&in); err != nil {
		return err
	}
	return in.err
}

func (s *Server) caught(name string, p any) error {
	s.log.Error("panic in a call", "method", name, "panic", p, "stack", string(debug.Stack()))
	return panicked(name)
}

func (s *Server) observe(name string, err error, start time.Time) {
	if o := s.cfg.Observer; o != nil {
		o.ObserveCall(name, status.Code(err), time.Since(start))
	}
}

// requestStream reads the request of a streaming call like that of a unary one.
type requestStream struct {
	grpc.ServerStream
	s *Server
}

func (r requestStream) RecvMsg(m any) error { return r.s.read(r.ServerStream.RecvMsg, m) }

// endWithServer ends streams of other services (a health watch) when the
// gateway stops; its own see to it themselves.
func (s *Server) endWithServer(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if strings.HasPrefix(info.FullMethod, "/"+pb.Gateway_ServiceDesc.ServiceName+"/") {
		return next(srv, stream)
	}
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	defer context.AfterFunc(s.stopped, cancel)()
	err := next(srv, boundStream{stream, ctx})
	if s.stopped.Err() != nil {
		return stopping()
	}
	return err
}

// boundStream is a stream with a context of our own, which RecvMsg obeys too:
// a reflection client may hold its stream open without a word.
type boundStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (b boundStream) Context() context.Context { return b.ctx }

func (b boundStream) RecvMsg(m any) error {
	received := make(chan error, 1)
	go func() { received <- b.ServerStream.RecvMsg(m) }() // ends with the stream
	select {
	case err := <-received:
		return err
	case <-b.ctx.Done():
		return b.ctx.Err()
	}
}

// descriptors finds the client protocol in its own registry, and health and
// reflection in the one of the process.
type descriptors struct{}

var _ protodesc.Resolver = descriptors{}

func (descriptors) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	if d, err := pb.Files.FindFileByPath(path); err == nil {
		return d, nil
	}
	return protoregistry.GlobalFiles.FindFileByPath(path)
}

func (descriptors) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if d, err := pb.Files.FindDescriptorByName(name); err == nil {
		return d, nil
	}
	return protoregistry.GlobalFiles.FindDescriptorByName(name)
}
