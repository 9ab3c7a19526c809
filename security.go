package grevy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/grevy-io/grevy/internal/certs"
)

// TLS names PEM files. They are looked at again while the node runs, so that
// certificates are renewed without a restart.
type TLS struct {
	Cert string // a certificate, and those between it and its authority
	Key  string // its private key
	CA   string // authorities whose certificates are taken from the other end
}

func (t TLS) on() bool { return t != TLS{} }

// validateTLS says what is wrong with the settings about who may connect.
func (c Config) validateTLS() error {
	n, g := c.NodeTLS, c.ClientTLS
	switch {
	case n.on() && (n.Cert == "" || n.Key == "" || n.CA == ""):
		return errors.New("node-tls-cert, node-tls-key, node-tls-ca: all three are needed, or none")
	case n.on() && c.NodePlaintext:
		return errors.New("node-plaintext: the node ports have TLS")
	case g.on() && (g.Cert == "" || g.Key == ""):
		return errors.New("tls-cert, tls-key: both are needed, or none of tls-cert, tls-key, tls-client-ca")
	case !c.Admin.valid():
		return fmt.Errorf("admin: must be auto, local, all or off, not %q", string(c.Admin))
	case c.MaxClients < 0:
		return fmt.Errorf("max-clients: must not be negative, like %d", c.MaxClients)
	case c.local() && (c.ClusterSize > 1 || len(c.Join) > 0):
		return fmt.Errorf("host: other machines reach %s, and the node ports there would have no TLS: "+
			"set node-tls-cert, node-tls-key and node-tls-ca, or allow it with node-plaintext", c.Host)
	}
	return nil
}

// Admin says from whom calls that change the cluster are taken. Who only asks is
// always answered.
type Admin string

// The values of [Admin].
const (
	AdminAuto  Admin = "auto"  // AdminAll if clients must show certificates, else AdminLocal
	AdminLocal Admin = "local" // from the node's own machine
	AdminAll   Admin = "all"   // from every client
	AdminOff   Admin = "off"   // from nobody
)

func (a Admin) valid() bool {
	return a == "" || a == AdminAuto || a == AdminLocal || a == AdminAll || a == AdminOff
}

// mayChange tells why a client may not change the cluster, back it up or restore it,
// nil if it may.
func (c Config) mayChange(ctx context.Context) error {
	admin := c.Admin
	if admin == "" || admin == AdminAuto {
		if admin = AdminLocal; c.ClientTLS.CA != "" {
			admin = AdminAll
		}
	}
	p, known := peer.FromContext(ctx)
	switch {
	case admin == AdminAll, admin == AdminLocal && known && p.LocalAddr != nil && ownMachine(p.Addr.String(), p.LocalAddr.String()):
		return nil
	case admin == AdminOff:
		return status.Error(codes.PermissionDenied, "this node takes no changes and gives no backups of the cluster (its --admin is off)")
	}
	return status.Error(codes.PermissionDenied, "changes and backups of the cluster are taken from the node's own machine only: run the command there, "+
		"or start the nodes with --admin all, or with --tls-client-ca, so that clients show who they are")
}

// ownMachine tells whether a connection begins on the machine where it ends: at
// a loopback address, or at the one that was called. No other machine gets
// answers at either.
func ownMachine(remote, local string) bool {
	r, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	from := r.Addr().Unmap()
	l, err := netip.ParseAddrPort(local)
	return from.IsLoopback() || err == nil && from == l.Addr().Unmap()
}

// local tells whether the node ports listen for this machine only, whatever Host
// is: nobody has said that others may come, and there is nothing to keep them out.
func (c Config) local() bool { return !c.NodeTLS.on() && !c.NodePlaintext && !loopback(c.Host) }

// loopback tells whether a host is this machine's own business. A name other than
// localhost is taken for one that others can reach.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || host == "localhost" || ip != nil && ip.IsLoopback()
}

// nodeAddr is where a port for other nodes listens.
func (c Config) nodeAddr(port int) string {
	if c.local() {
		return joinHostPort("127.0.0.1", port+c.PortOffset)
	}
	return c.addr(port)
}

// openCerts reads the certificates.
func (b *Broker) openCerts(context.Context) (err error) {
	if b.NodeTLS.on() {
		if b.nodeCerts, err = certs.Open(certs.Files(b.NodeTLS), b.Log); err != nil {
			return fmt.Errorf("node-tls: %w", err)
		}
	}
	if b.ClientTLS.on() {
		if b.clientCerts, err = certs.Open(certs.Files(b.ClientTLS), b.Log); err != nil {
			return fmt.Errorf("tls: %w", err)
		}
	}
	return nil
}

// clientTLS is what the gateway's port speaks; nil without certificates. Clients
// on old runtimes know no newer version than 1.2.
func (b *Broker) clientTLS() *tls.Config {
	if b.clientCerts == nil {
		return nil
	}
	return b.clientCerts.Server(tls.VersionTLS12, "h2")
}
