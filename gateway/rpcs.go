package gateway

import (
	"context"

	"google.golang.org/grpc"
)

// serviceName is the service of the client protocol.
const serviceName = "gateway_protocol.Gateway"

// unaryCalls are the RPCs with one response, each with its handler.
var unaryCalls = map[string]unaryCall{
	"BroadcastSignal":                 unary(service.BroadcastSignal),
	"CancelProcessInstance":           unary(service.CancelProcessInstance),
	"CompleteJob":                     unary(service.CompleteJob),
	"CreateProcessInstance":           unary(service.CreateProcessInstance),
	"CreateProcessInstanceWithResult": unary(service.CreateProcessInstanceWithResult),
	"DeleteResource":                  unary(service.DeleteResource),
	"DeployProcess":                   unary(service.DeployProcess),
	"DeployResource":                  unary(service.DeployResource),
	"EvaluateDecision":                unary(service.EvaluateDecision),
	"FailJob":                         unary(service.FailJob),
	"MigrateProcessInstance":          unary(service.MigrateProcessInstance),
	"ModifyProcessInstance":           unary(service.ModifyProcessInstance),
	"PublishMessage":                  unary(service.PublishMessage),
	"ResolveIncident":                 unary(service.ResolveIncident),
	"SetVariables":                    unary(service.SetVariables),
	"ThrowError":                      unary(service.ThrowError),
	"Topology":                        unary(service.Topology),
	"UpdateJobRetries":                unary(service.UpdateJobRetries),
	"UpdateJobTimeout":                unary(service.UpdateJobTimeout),

	// As clients of 0.2x call them.
	"CancelWorkflowInstance":           unary(service.CancelProcessInstance),
	"CreateWorkflowInstance":           unary(service.CreateProcessInstance),
	"CreateWorkflowInstanceWithResult": unary(service.CreateProcessInstanceWithResult),
	"DeployWorkflow":                   unary(service.DeployWorkflow),
}

// streamCalls are the RPCs whose responses are a stream.
var streamCalls = map[string]streamCall{
	"ActivateJobs":        streaming(service.ActivateJobs),
	"StreamActivatedJobs": streaming(service.StreamActivatedJobs),
}

// unaryCall handles a call; read reads its request.
type unaryCall func(s service, ctx context.Context, read func(any) error) (any, error)

// streamCall handles a call with a stream of responses.
type streamCall func(s service, stream grpc.ServerStream) error

// unary is what stubs would do: read the request, call the handler.
func unary[Req, Resp any](handle func(service, context.Context, *Req) (*Resp, error)) unaryCall {
	return func(s service, ctx context.Context, read func(any) error) (any, error) {
		req := new(Req)
		if err := read(req); err != nil {
			return nil, err
		}
		return handle(s, ctx, req)
	}
}

func streaming[Req, Resp any](handle func(service, *Req, grpc.ServerStreamingServer[Resp]) error) streamCall {
	return func(s service, stream grpc.ServerStream) error {
		req := new(Req)
		if err := stream.RecvMsg(req); err != nil {
			return err
		}
		return handle(s, req, &grpc.GenericServerStream[Req, Resp]{ServerStream: stream})
	}
}
