package grevy

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What instances hold is not told to strangers if clients have to show who they
// are.
func TestPrivate_ToTheOwnMachineIfClientsNeedTLS(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tls  TLS
		from string
		want int
	}{
		{TLS{}, "10.0.0.9:4711", http.StatusOK},
		{TLS{Cert: "a", Key: "b"}, "10.0.0.9:4711", http.StatusForbidden},
		{TLS{Cert: "a", Key: "b"}, "nonsense", http.StatusForbidden},
		{TLS{Cert: "a", Key: "b"}, "127.0.0.1:4711", http.StatusOK},
		{TLS{Cert: "a", Key: "b"}, "[::1]:4711", http.StatusOK},
		{TLS{Cert: "a", Key: "b"}, "10.0.0.1:4711", http.StatusOK}, // where the node itself listens
	} {
		b := &Broker{Config: Config{ClientTLS: c.tls}}
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/api/instances", nil)
		r.RemoteAddr = c.from
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(addr("10.0.0.1:9600"))))
		b.private(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })(w, r)
		if w.Code != c.want || (c.want != http.StatusOK) != strings.Contains(w.Body.String(), `{"error":"clients of this cluster need TLS`) {
			t.Errorf("%+v: %d %s", c, w.Code, w.Body)
		}
	}
}

// Before the cluster has formed there is nobody to ask.
func TestInspect_BeforeTheClusterHasFormed(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	b := new(Broker)
	b.inspectOver(mux)
	mux.HandleFunc("GET /api/deployments", b.serveDeployments)
	for _, path := range []string{"/api/deployments", "/api/incidents", "/api/instances", "/api/messages", "/api/instances/5"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "has not formed") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}
