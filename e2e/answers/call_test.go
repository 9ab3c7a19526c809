package answers

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/camunda/zeebe/clients/go/v8/pkg/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

var service = pb.File_gateway_proto.Services().ByName("Gateway")

// request builds the message of a step.
func (r *run) request(s *step) (protoreflect.MethodDescriptor, *dynamicpb.Message, string, error) {
	call, body := s.Call, map[string]any{}
	for k, v := range s.Request {
		body[k] = v
	}
	if call == "" && s.Deploy != nil {
		call = "DeployResource"
	}
	field, content := "resources", "content"
	if call == "DeployProcess" {
		field, content = "processes", "definition"
	}
	if s.Deploy != nil {
		list, err := resources(s.Deploy, content)
		if err != nil {
			return nil, nil, "", err
		}
		body[field] = list
	}
	v, err := r.expandAll(body)
	if err != nil {
		return nil, nil, "", err
	}
	full := v.(map[string]any)
	corr, _ := full["correlationKey"].(string)
	if list, ok := full[field].([]any); ok && s.Deploy != nil {
		for _, it := range list {
			m := it.(map[string]any)
			m[content] = base64.StdEncoding.EncodeToString([]byte(m[content].(string)))
		}
	}
	md := service.Methods().ByName(protoreflect.Name(call))
	if md == nil {
		return nil, nil, "", fmt.Errorf("no RPC %q", call)
	}
	m, err := r.message(md.Input(), full, s.Unknown)
	return md, m, corr, err
}

// message makes a message of its JSON, and notes what it says.
func (r *run) message(d protoreflect.MessageDescriptor, body map[string]any, unknown string) (*dynamicpb.Message, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	if len(text) < 100_000 {
		r.sent.Write(text)
	}
	m := dynamicpb.NewMessage(d)
	if err := protojson.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name(), err)
	}
	b, err := hex.DecodeString(unknown)
	if err == nil && len(b) > 0 {
		m.SetUnknown(b)
	}
	return m, err
}

// call makes the call of a step and, meanwhile, its other steps.
func (r *run) call(s *step) (*answer, error) {
	md, req, corr, err := r.request(s)
	if err != nil {
		return nil, err
	}
	limit := 30 * time.Second
	if s.Timeout != "" {
		if limit, err = time.ParseDuration(s.Timeout); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(r.ctx, limit)
	defer cancel()
	during := make(chan error, 1)
	go func() {
		if len(s.During) > 0 {
			r.pause(300 * time.Millisecond)
		}
		during <- r.steps(s.During)
	}()
	begun := time.Now()
	got, err := r.stream(ctx, md, req, s)
	if err := errors.Join(<-during, r.ctx.Err()); err != nil {
		return nil, fmt.Errorf("during: %w", err)
	}
	a := &answer{method: string(md.Name()), corrKey: corr}
	st, isStatus := status.FromError(err)
	switch {
	case err == nil && md.IsStreamingServer():
		a.code, a.response = "OK", merge(got)
	case err == nil && len(got) == 1:
		a.code, a.response = "OK", got[0]
	case err == nil:
		return nil, fmt.Errorf("%d responses", len(got))
	case !isStatus:
		return nil, err
	default:
		a.code, a.message = st.Code().String(), st.Message()
		if st.Code() == codes.DeadlineExceeded && time.Since(begun) > limit*9/10 {
			a.message = "(deadline of the caller)"
		}
	}
	return a, nil
}

// stream makes a call and returns its responses as JSON values.
func (r *run) stream(ctx context.Context, md protoreflect.MethodDescriptor, req *dynamicpb.Message, s *step) (got []any, err error) {
	opts := []grpc.CallOption{grpc.MaxCallRecvMsgSize(64 << 20), grpc.MaxCallSendMsgSize(64 << 20)}
	if s.Gzip {
		opts = append(opts, grpc.UseCompressor("gzip"))
	}
	st, err := r.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/gateway_protocol.Gateway/"+string(md.Name()), opts...)
	if err != nil {
		return nil, err
	}
	if err := st.SendMsg(req); err != nil && err != io.EOF { // EOF: RecvMsg says why
		return nil, err
	}
	if err := st.CloseSend(); err != nil {
		return nil, err
	}
	for s.Take == 0 || len(got) < s.Take {
		out := dynamicpb.NewMessage(md.Output())
		if err := st.RecvMsg(out); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		v, err := jsonOf(out)
		if err != nil {
			return nil, err
		}
		got = append(got, v)
	}
	return got, nil
}

func jsonOf(m *dynamicpb.Message) (v any, err error) {
	b, err := protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(m)
	if err == nil {
		d := json.NewDecoder(strings.NewReader(string(b)))
		d.UseNumber()
		err = d.Decode(&v)
	}
	return v, err
}

// merge joins the messages of a stream: how many jobs travel in one message is
// free.
func merge(list []any) any {
	jobs := []any{}
	for _, v := range list {
		m := v.(map[string]any)
		if js, ok := m["jobs"].([]any); ok {
			jobs = append(jobs, js...)
		} else {
			jobs = append(jobs, m)
		}
	}
	return map[string]any{"jobs": jobs}
}
