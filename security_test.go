package grevy

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	adminpb "github.com/grevy-io/grevy/admin/v1"
)

// Without TLS and without a word that allows it, other machines do not reach the
// node ports.
func TestNodePorts_AreLoopbackUnlessAllowed(t *testing.T) {
	tls := TLS{Cert: "c", Key: "k", CA: "a"}
	for _, c := range []struct {
		name string
		Config
		want string // where raft listens; "": refused
	}{
		{"a node alone", Config{}, "127.0.0.1:26502"},
		{"a node alone, for clients elsewhere", Config{Host: "0.0.0.0"}, "127.0.0.1:26502"},
		{"the same with a name", Config{Host: "node.example"}, "127.0.0.1:26502"},
		{"allowed", Config{Host: "0.0.0.0", NodePlaintext: true}, "0.0.0.0:26502"},
		{"with TLS", Config{Host: "10.0.0.1", NodeTLS: tls}, "10.0.0.1:26502"},
		{"a cluster on this machine", Config{ClusterSize: 3, Host: "localhost", Join: []string{"localhost:1"}}, "localhost:26502"},
		{"a cluster on this machine, v6", Config{ClusterSize: 3, Host: "::1", Join: []string{"[::1]:1"}}, "[::1]:26502"},
		{"a cluster elsewhere", Config{ClusterSize: 3, Host: "10.0.0.1", Join: []string{"a:1"}}, ""},
		{"one that joins elsewhere", Config{Host: "10.0.0.1", Join: []string{"a:1"}}, ""},
		{"a cluster elsewhere, allowed", Config{ClusterSize: 3, Host: "10.0.0.1", Join: []string{"a:1"}, NodePlaintext: true}, "10.0.0.1:26502"},
		{"a cluster elsewhere with TLS", Config{ClusterSize: 3, Host: "10.0.0.1", Join: []string{"a:1"}, NodeTLS: tls}, "10.0.0.1:26502"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.DataDir = "d"
			err := c.Validate()
			if (err == nil) != (c.want != "") {
				t.Fatal(err)
			}
			if got := c.withDefaults().nodeAddr(RaftPort); c.want != "" && got != c.want {
				t.Errorf("raft listens on %s, want %s", got, c.want)
			}
		})
	}
}

// addr is an address as a connection gives it.
type addr string

func (addr) Network() string  { return "tcp" }
func (a addr) String() string { return string(a) }

// calledBy and calledWith are streams of which only who calls is looked at.
type (
	calledBy struct {
		grpc.ServerStreamingServer[adminpb.BackupPart]
		ctx context.Context
	}
	calledWith struct {
		grpc.ClientStreamingServer[adminpb.BackupPart, adminpb.RestoreResponse]
		ctx context.Context
	}
)

func (c calledBy) Context() context.Context   { return c.ctx }
func (c calledWith) Context() context.Context { return c.ctx }

// Changes of the cluster are taken from those whom the settings let, and looking
// is open to all.
func TestAdmin_WhoMayChangeTheCluster(t *testing.T) {
	certificates := TLS{Cert: "c", Key: "k", CA: "a"}
	const here, there, lo = addr("10.0.0.1:26500"), addr("10.0.0.2:4711"), addr("127.0.0.1:4711")
	for _, c := range []struct {
		name  string
		admin Admin
		tls   TLS
		from  addr
		want  codes.Code
	}{
		{"by itself", "", TLS{}, lo, codes.OK},
		{"by itself, v6", "", TLS{}, "[::1]:4711", codes.OK},
		{"by itself, v4 in v6", "", TLS{}, "[::ffff:127.0.0.1]:4711", codes.OK},
		{"from its own address", "", TLS{}, "10.0.0.1:4711", codes.OK},
		{"from elsewhere", "", TLS{}, there, codes.PermissionDenied},
		{"from elsewhere, auto", AdminAuto, TLS{}, there, codes.PermissionDenied},
		{"from elsewhere, TLS without certificates", AdminAuto, TLS{Cert: "c", Key: "k"}, there, codes.PermissionDenied},
		{"from elsewhere, with a certificate", AdminAuto, certificates, there, codes.OK},
		{"from elsewhere, local in spite of a certificate", AdminLocal, certificates, there, codes.PermissionDenied},
		{"from elsewhere, all", AdminAll, TLS{}, there, codes.OK},
		{"from nowhere", AdminLocal, TLS{}, "@", codes.PermissionDenied},
		{"off", AdminOff, certificates, lo, codes.PermissionDenied},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &adminService{b: &Broker{Config: Config{Admin: c.admin, ClientTLS: c.tls}}}
			ctx := peer.NewContext(t.Context(), &peer.Peer{Addr: c.from, LocalAddr: here})
			passed := codes.InvalidArgument // what is asked for is not looked at before
			_, err := s.Change(ctx, &adminpb.ChangeRequest{})
			if got := status.Code(err); got != c.want && (c.want != codes.OK || got != passed) {
				t.Errorf("change: %v", err)
			}
			if c.want != codes.OK {
				for _, r := range []*adminpb.ChangeRequest{
					{Operation: &adminpb.ChangeRequest_ForceRemove{ForceRemove: &adminpb.ForceRemove{AcceptLoss: true}}},
					{Operation: &adminpb.ChangeRequest_RebalanceLeaders{}},
				} {
					if _, err := s.Change(ctx, r); status.Code(err) != c.want {
						t.Errorf("change: %v", err)
					}
				}
				if err := s.Backup(nil, calledBy{ctx: ctx}); status.Code(err) != c.want {
					t.Errorf("backup: %v", err)
				}
				if err := s.Restore(calledWith{ctx: ctx}); status.Code(err) != c.want {
					t.Errorf("restore: %v", err)
				}
				if _, err := s.Cancel(ctx, &adminpb.CancelRequest{}); status.Code(err) != c.want {
					t.Errorf("cancel: %v", err)
				}
			}
			if _, err := s.Change(ctx, &adminpb.ChangeRequest{DryRun: true}); status.Code(err) != passed {
				t.Errorf("a dry run: %v", err)
			}
		})
	}
	if err := (Config{DataDir: "d", Admin: "everyone"}).Validate(); err == nil {
		t.Error("another word is taken")
	}
	if _, err := (&adminService{b: &Broker{}}).Change(t.Context(), &adminpb.ChangeRequest{}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("whose address is not known: %v", err)
	}
}

func TestAdmin_OnlyAsking(t *testing.T) {
	force := func(accept bool) *adminpb.ChangeRequest {
		return &adminpb.ChangeRequest{Operation: &adminpb.ChangeRequest_ForceRemove{ForceRemove: &adminpb.ForceRemove{AcceptLoss: accept}}}
	}
	if !onlyAsks(force(false)) || onlyAsks(force(true)) || onlyAsks(&adminpb.ChangeRequest{}) || !onlyAsks(&adminpb.ChangeRequest{DryRun: true}) {
		t.Error("what would be lost may be asked for, and what would be done")
	}
}
