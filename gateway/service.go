package gateway

import (
	"context"
	"runtime/debug"
	"strings"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
)

// service holds the handlers; its methods are spread over the files by subject.
type service struct{ *Server }

func (s *Server) register() {
	desc := grpc.ServiceDesc{ServiceName: serviceName, Metadata: pb.File_gateway_proto.Path()}
	for name, call := range unaryCalls {
		desc.Methods = append(desc.Methods, grpc.MethodDesc{MethodName: name, Handler: s.surround(name, call)})
	}
	for name, call := range streamCalls {
		desc.Streams = append(desc.Streams, grpc.StreamDesc{StreamName: name, Handler: s.surroundStream(name, call), ServerStreams: true})
	}
	s.grpc.RegisterService(&desc, nil) // the handlers know their service
	grpc_health_v1.RegisterHealthServer(s.grpc, s.health)
	s.health.SetServingStatus(serviceName, grpc_health_v1.HealthCheckResponse_SERVING)
	if s.cfg.Services != nil {
		s.cfg.Services(s.grpc)
	}
	reflection.Register(s.grpc)
}

// surround puts around a unary handler what every call has: a request that is
// read and measured, a status, a recovered panic, an observation. The interceptor
// is that of other services (guard): it would come too late for the first.
func (s *Server) surround(name string, next unaryCall) grpc.MethodHandler {
	return func(_ any, ctx context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (resp any, err error) {
		start := time.Now()
		defer func() {
			if p := recover(); p != nil {
				resp, err = nil, s.caught(name, p)
			}
			s.observe(name, err, start)
		}()
		resp, err = next(service{s}, ctx, func(m any) error { return s.read(dec, m) })
		if err != nil {
			return nil, toStatus(err)
		}
		return resp, nil
	}
}

func (s *Server) surroundStream(name string, next streamCall) grpc.StreamHandler {
	return func(_ any, stream grpc.ServerStream) (err error) {
		start := time.Now()
		defer func() {
			if p := recover(); p != nil {
				err = s.caught(name, p)
			}
			s.observe(name, err, start)
		}()
		return toStatus(next(service{s}, requestStream{stream, s}))
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

// guard surrounds calls of other services, which the program registers.
func (s *Server) guard(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (resp any, err error) {
	defer func() {
		if p := recover(); p != nil {
			resp, err = nil, s.caught(strings.TrimPrefix(info.FullMethod, "/"), p)
		}
	}()
	return next(ctx, req)
}

// guardStream surrounds streams of other services (a health watch), and ends
// them when the gateway stops; its own see to both themselves.
func (s *Server) guardStream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	if strings.HasPrefix(info.FullMethod, "/"+serviceName+"/") {
		return next(srv, stream)
	}
	defer func() {
		if p := recover(); p != nil {
			err = s.caught(strings.TrimPrefix(info.FullMethod, "/"), p)
		}
	}()
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	defer context.AfterFunc(s.stopped, cancel)()
	err = next(srv, boundStream{stream, ctx})
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
