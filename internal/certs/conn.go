package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"
)

// ErrHandshake says that a connection was accepted and did not become one of TLS.
var ErrHandshake = errors.New("TLS")

// Accept makes a connection that a node has accepted one of TLS, whose other end
// has shown a certificate of the authorities, until a moment in time.
func (s *Store) Accept(c net.Conn, until time.Time) (net.Conn, error) {
	if s == nil {
		return c, nil
	}
	if err := c.SetDeadline(until); err != nil {
		return nil, fmt.Errorf("accept: %w", err)
	}
	t := tls.Server(c, s.Server(tls.VersionTLS13))
	if err := t.Handshake(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHandshake, err)
	}
	return t, nil
}

// Refused tells whether an error is that of a connection that cannot be until an
// operator changes a certificate, or TLS on one of its ends.
func Refused(err error) bool {
	var bad *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	var op *net.OpError
	return errors.Is(err, ErrHandshake) || errors.As(err, &bad) || errors.As(err, &plain) ||
		errors.As(err, &op) && op.Op == "remote error"
}

// Dial connects to a node. It returns when the other node's certificate is
// verified; that the other has refused ours is seen by the first read.
func (s *Store) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	raw, err := d.DialContext(ctx, network, addr)
	if err != nil || s == nil {
		return raw, err
	}
	c := tls.Client(raw, s.client())
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("TLS with %s: %w", addr, err), raw.Close())
	}
	return c, nil
}

// Bare is the connection of the operating system under c.
func Bare(c net.Conn) net.Conn {
	if t, ok := c.(*tls.Conn); ok {
		return t.NetConn()
	}
	return c
}
