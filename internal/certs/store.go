package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Files are paths of PEM files.
type Files struct {
	// Cert is the certificate, with those between it and its authority; Key its
	// private key.
	Cert, Key string
	// CA holds the certificates of the authorities whose certificates are taken
	// from the other end.
	CA string
}

// Store is what was read from the files last.
type Store struct {
	files Files
	log   *slog.Logger

	mu     sync.Mutex
	is     *material
	stamps [3]stamp
	looked time.Time
}

// material is one certificate with all that belongs to it. It never changes.
type material struct {
	cert tls.Certificate
	ca   *x509.CertPool // nil: the other end is not asked for a certificate
}

// stamp tells whether a file is another one than before.
type stamp struct {
	changed time.Time
	size    int64
}

// lookEvery bounds how often the files are looked at.
const lookEvery = time.Second

// Open reads the files. CA may be empty.
func Open(f Files, log *slog.Logger) (*Store, error) {
	s := &Store{files: f, log: log}
	var err error
	if s.stamps, err = f.stamps(); err != nil {
		return nil, err
	}
	if s.is, err = f.read(); err != nil {
		return nil, err
	}
	s.looked = time.Now()
	return s, nil
}

func (f Files) read() (*material, error) {
	m := new(material)
	var err error
	if m.cert, err = tls.LoadX509KeyPair(f.Cert, f.Key); err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", f.Cert, f.Key, err)
	}
	if f.CA == "" {
		return m, nil
	}
	pem, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, fmt.Errorf("certificates of authorities: %w", err)
	}
	m.ca = x509.NewCertPool()
	if !m.ca.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate of an authority", f.CA)
	}
	return m, nil
}

func (f Files) stamps() (list [3]stamp, err error) {
	for i, path := range []string{f.Cert, f.Key, f.CA} {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return list, fmt.Errorf("certificates: %w", err)
		}
		list[i] = stamp{info.ModTime(), info.Size()}
	}
	return list, nil
}

// current gives what is in force, after a look at the files if the last one is
// long ago.
func (s *Store) current() *material {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.looked) < lookEvery {
		return s.is
	}
	s.looked = time.Now()
	if err := s.reloadLocked(); err != nil {
		s.log.Error("certificates not read anew, the former ones stay", "err", err)
	}
	return s.is
}

// reloadLocked reads the files if one of them is another one. While an operator
// puts them in place, certificate and key may not belong together yet: the next
// look tries again.
func (s *Store) reloadLocked() error {
	stamps, err := s.files.stamps()
	if err != nil || stamps == s.stamps {
		return err
	}
	m, err := s.files.read()
	if err != nil {
		return err
	}
	s.is, s.stamps = m, stamps
	s.log.Info("certificates read anew", "cert", s.files.Cert)
	return nil
}

// Server is the configuration of a port. If authorities are given, whoever
// connects must show a certificate of theirs. Each connection is judged by the
// files of its moment, and none is resumed, so that a renewal counts at once.
func (s *Store) Server(least uint16, protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion: least, NextProtos: protocols,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			m := s.current()
			c := &tls.Config{
				MinVersion: least, NextProtos: protocols, SessionTicketsDisabled: true,
				Certificates: []tls.Certificate{m.cert},
			}
			if m.ca != nil {
				c.ClientCAs, c.ClientAuth = m.ca, tls.RequireAndVerifyClientCert
			}
			return c, nil
		},
	}
}

// client is the configuration of a connection to another node. Its certificate
// must be one of the authorities', whatever name it has: addresses come from
// gossip, which only nodes with such a certificate take part in, and all of them
// are trusted alike (docs/adr/0023-node-tls.md).
func (s *Store) client() *tls.Config {
	m := s.current()
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{m.cert},
		InsecureSkipVerify: true, // the name only: verify does the rest
		VerifyConnection:   m.verify,
	}
}

func (m *material) verify(c tls.ConnectionState) error {
	if len(c.PeerCertificates) == 0 {
		return errors.New("the other node shows no certificate")
	}
	between := x509.NewCertPool()
	for _, p := range c.PeerCertificates[1:] {
		between.AddCert(p)
	}
	_, err := c.PeerCertificates[0].Verify(x509.VerifyOptions{
		Roots: m.ca, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: c.PeerCertificates, Err: err}
	}
	return nil
}
