package grevy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

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
	case c.MaxClients < 0:
		return fmt.Errorf("max-clients: must not be negative, like %d", c.MaxClients)
	case c.local() && (c.ClusterSize > 1 || len(c.Join) > 0):
		return fmt.Errorf("host: other machines reach %s, and the node ports there would have no TLS: "+
			"set node-tls-cert, node-tls-key and node-tls-ca, or allow it with node-plaintext", c.Host)
	}
	return nil
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
