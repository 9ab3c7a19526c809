package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // clients may compress
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/keepalive"

	"github.com/grevy-io/grevy/internal/door"
	"github.com/grevy-io/grevy/protocol"
)

// Config says how a gateway serves. The zero value of a field is its default.
type Config struct {
	// MaxMessageSize bounds requests and responses, in bytes; 4 MiB.
	MaxMessageSize int
	// RequestTimeout bounds a call whose client sets no deadline, and how long
	// the result of an instance is awaited if the request does not say; 15 s.
	RequestTimeout time.Duration
	// LongPolling is how long ActivateJobs waits for jobs if the request does
	// not say; 10 s.
	LongPolling time.Duration
	// WaitDistributed is how long a deployment or deletion waits for all partitions
	// to have it if its request does not say; not at all.
	WaitDistributed Wait
	// Logger gets what no client can be told; slog.Default().
	Logger *slog.Logger
	// Version is the gateway's, shown in the topology.
	Version string
	// TLS of the port; nil: none. It must know the protocol h2.
	TLS *tls.Config
	// MaxClients bounds the connections; 4,096. One too many is closed at once.
	MaxClients int
	// Services, if any, registers what else is served on the same port.
	Services func(grpc.ServiceRegistrar)
	// Observer, if any, is told of every call.
	Observer Observer
}

// Observer counts calls. Called concurrently, at the end of each call.
type Observer interface {
	// ObserveCall gets the name of the RPC, the status its client got and how
	// long it took: for long polls and streams their waiting, too.
	ObserveCall(method string, code codes.Code, took time.Duration)
}

// tuning holds what only tests change.
type tuning struct {
	await  time.Duration // an AwaitJobs is sent anew after this long: its leader may be gone without a word
	park   time.Duration // the same of a parked ActivateJobs
	linger time.Duration // how long a job type is watched after its last long poll
	stall  time.Duration // jobs are handed back from a stream whose client reads nothing for so long
	width  int           // how many long polls may look at one partition at a time
}

var defaultTuning = tuning{await: 10 * time.Second, park: 30 * time.Second, linger: time.Second, stall: 2 * time.Second, width: 16}

// Server is one gateway. Make it with [New].
type Server struct {
	cfg    Config
	tuning tuning
	broker Broker
	log    *slog.Logger
	grpc   *grpc.Server
	health *health.Server

	turned atomic.Int64 // when clients were last said to be too many, in seconds

	ring    ring
	polling pollingState
	pushing pushHub

	stopped    context.Context // ends when Stop begins
	stop       context.CancelCauseFunc
	background sync.WaitGroup // watchers, pullers and yields
}

// New makes a gateway in front of b. It serves nothing until [Server.Serve].
func New(cfg Config, b Broker) *Server { return newServer(cfg, b, defaultTuning) }

func newServer(cfg Config, b Broker, t tuning) *Server {
	if cfg.MaxMessageSize <= 0 {
		cfg.MaxMessageSize = 4 << 20
	}
	if cfg.RequestTimeout <= 0 {
		cfg.RequestTimeout = 15 * time.Second
	}
	if cfg.LongPolling <= 0 {
		cfg.LongPolling = 10 * time.Second
	}
	if cfg.MaxClients <= 0 {
		cfg.MaxClients = 4096
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	s := &Server{cfg: cfg, tuning: t, broker: b, log: cfg.Logger.With("room", "gateway"), health: health.NewServer()}
	s.stopped, s.stop = context.WithCancelCause(context.Background())
	s.polling.queues = map[string]*queue{}
	s.pushing.groups = map[string]*pushGroup{}
	s.grpc = grpc.NewServer(s.options()...)
	s.register()
	return s
}

// What a client gets before it has said what it wants.
const (
	connectTimeout = 10 * time.Second // for TLS and the first words of HTTP/2
	maxHeaders     = 64 << 10         // of one call, in bytes
)

// options: throughput and patience. Fixed windows save the pings with which gRPC
// measures the link (a tenth of the time per call on loopback); stream workers
// were measured too and make no difference on two cores. Dead clients are noticed by a ping after
// half a minute, or jobs would go on being pushed to them; a client may itself
// ping every ten seconds, also without a call (the original: 30 s, enforced).
func (s *Server) options() []grpc.ServerOption {
	secure := insecure.NewCredentials()
	if s.cfg.TLS != nil {
		secure = credentials.NewTLS(s.cfg.TLS)
	}
	return []grpc.ServerOption{
		grpc.Creds(secure),
		grpc.ConnectionTimeout(connectTimeout),
		grpc.MaxHeaderListSize(maxHeaders),
		grpc.MaxRecvMsgSize(hardLimit * s.cfg.MaxMessageSize),
		grpc.ForceServerCodecV2(newCodec()),
		grpc.WriteBufferSize(64 << 10),
		grpc.ReadBufferSize(64 << 10),
		grpc.InitialWindowSize(1 << 20),
		grpc.InitialConnWindowSize(4 << 20),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		grpc.UnaryInterceptor(s.guard),
		grpc.StreamInterceptor(s.guardStream),
		grpc.UnknownServiceHandler(unknownMethod),
	}
}

// Serve accepts connections on l until [Server.Stop]; then it returns nil. It
// may be called for more than one listener, and closes each.
func (s *Server) Serve(l net.Listener) error {
	if err := s.grpc.Serve(door.Limit(l, s.cfg.MaxClients, s.tooMany)); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve clients on %s: %w", l.Addr(), err)
	}
	return nil
}

// tooMany says, at most once a minute, that clients were turned away.
func (s *Server) tooMany() {
	now := time.Now().Unix()
	if last := s.turned.Load(); now-last >= 60 && s.turned.CompareAndSwap(last, now) {
		s.log.Warn("too many connections of clients, new ones are closed", "most", s.cfg.MaxClients)
	}
}

// Stop ends the gateway: no new calls, those under way are finished, open long
// polls and streams end with UNAVAILABLE, and jobs that were not delivered are
// handed back, so the [Broker] must be stopped after it. What is not done when
// ctx ends is cut off, and the error says so.
func (s *Server) Stop(ctx context.Context) error {
	s.health.Shutdown()
	s.stop(stopping())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.grpc.GracefulStop()
		s.background.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.grpc.Stop()
		return fmt.Errorf("stop gateway, calls were cut off: %w", ctx.Err())
	}
}

// call is Execute that survives a panic of the broker's.
func (s *Server) call(ctx context.Context, p protocol.PartitionID, cmd protocol.Command) (reply protocol.Reply, err error) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("panic in a command", "partition", p, "intent", cmd.Intent(), "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("execute %s: panic: %v", cmd.Intent(), r)
		}
	}()
	return s.broker.Execute(ctx, p, cmd)
}
