package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// ownBodies gives each attempt of a request a body of its own. The client seeks
// back in the one it has and sends it again as soon as an answer is there, while
// the attempt before may still be reading it.
type ownBodies struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t ownBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	// Signing makes a part a little longer. What is longer than that, or of no known
	// length, can not be sent again anyhow.
	if r.Body == nil || r.ContentLength <= 0 || r.ContentLength > 2*partSize {
		return t.RoundTripper.RoundTrip(r)
	}
	b := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, b)
	if err = errors.Join(err, r.Body.Close()); err != nil {
		return nil, fmt.Errorf("body of a request: %w", err)
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(b))
	return t.RoundTripper.RoundTrip(r)
}
