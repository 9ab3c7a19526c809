package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// A gateway with certificates is addressed as https://HOST:PORT. Which authority
// is trusted, and the client's own certificate, stand in the environment: the
// first variable by the name that the published clients know, too.
var (
	caVariables   = []string{"GREVY_CA_CERTIFICATE", "ZEEBE_CA_CERTIFICATE_PATH"}
	certVariables = [2]string{"GREVY_CLIENT_CERTIFICATE", "GREVY_CLIENT_KEY"}
)

// transport takes the scheme off an address and gives what it stands for.
func transport(address string) (target string, c credentials.TransportCredentials, err error) {
	target, secure := strings.CutPrefix(address, "https://")
	if !secure {
		return strings.TrimPrefix(target, "http://"), insecure.NewCredentials(), nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if config.RootCAs, err = authorities(); err != nil {
		return "", nil, err
	}
	if cert, key := os.Getenv(certVariables[0]), os.Getenv(certVariables[1]); cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return "", nil, fmt.Errorf("%s, %s: %w", certVariables[0], certVariables[1], err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return target, credentials.NewTLS(config), nil
}

// authorities reads those that are trusted; nil: those of the system.
func authorities() (*x509.CertPool, error) {
	for _, name := range caVariables {
		path := os.Getenv(name)
		if path == "" {
			continue
		}
		pem, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: %s holds no certificate", name, path)
		}
		return pool, nil
	}
	return nil, nil
}
