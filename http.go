package grevy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/grevy-io/grevy/internal/door"
	"github.com/grevy-io/grevy/protocol"
)

// httpServer serves port 9600.
type httpServer struct{ server *http.Server }

func (b *Broker) openHTTP() error {
	if b.WithoutHTTP {
		return nil
	}
	l, err := b.listen("http", b.addr(HTTPPort))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(b.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", local(pprof.Index))
	mux.HandleFunc("GET /debug/pprof/profile", local(pprof.Profile))
	mux.HandleFunc("GET /debug/pprof/trace", local(pprof.Trace))
	mux.HandleFunc("GET /debug/digest", local(b.serveDigest))
	mux.HandleFunc("GET /ready", b.serveReady)
	mux.HandleFunc("GET /health", b.serveHealth)
	mux.HandleFunc("GET /api/status", b.serveStatus)
	mux.HandleFunc("GET /api/deployments", b.serveDeployments)
	b.inspectOver(mux)
	b.http = &httpServer{&http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10,
	}}
	l = door.Limit(l, httpConnections, nil)
	b.wg.Go(func() {
		if err := b.http.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			b.fail(fmt.Errorf("http: %w", err))
		}
	})
	b.onCloseHTTP()
	return nil
}

// httpConnections is far more than operators and Prometheus need.
const httpConnections = 256

// onCloseHTTP closes the port before Close waits for what runs.
func (b *Broker) onCloseHTTP() {
	context.AfterFunc(b.life, func() { _ = b.http.server.Close() })
}

// local lets only this machine ask: profiles and digests cost time, and show more
// than a stranger should see.
func local(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !asksItself(r) {
			http.Error(w, "this is told to this machine only", http.StatusForbidden)
			return
		}
		serve(w, r)
	}
}

// asksItself tells whether a request comes from this machine.
func asksItself(r *http.Request) bool {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if local == nil {
		return ownMachine(r.RemoteAddr, "")
	}
	return ownMachine(r.RemoteAddr, local.String())
}

// serveReady answers 200 once clients can be served, 503 with the reasons else.
func (b *Broker) serveReady(w http.ResponseWriter, _ *http.Request) {
	var reasons []string
	if !b.ready.Load() {
		reasons = append(reasons, "the node is starting or stopping")
	}
	for i := 1; i <= b.partitionCount(); i++ {
		if b.members == nil || !b.hasLeader(protocol.PartitionID(i)) {
			reasons = append(reasons, fmt.Sprintf("partition %d has no leader that can be reached", i))
		}
	}
	answer(w, reasons)
}

// serveHealth answers 200 unless something on this node needs attention.
func (b *Broker) serveHealth(w http.ResponseWriter, _ *http.Request) {
	answer(w, b.ailments())
}

func answer(w http.ResponseWriter, reasons []string) {
	code := http.StatusOK
	if len(reasons) > 0 {
		code = http.StatusServiceUnavailable
	}
	writeJSON(w, code, map[string]any{"ok": len(reasons) == 0, "reasons": append([]string{}, reasons...)})
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
}

// statusTimeout bounds how long a status waits for a partition's leader.
const statusTimeout = 2 * time.Second

func (b *Broker) serveStatus(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), statusTimeout)
	defer cancel()
	writeJSON(w, http.StatusOK, b.Status(ctx))
}

func (b *Broker) serveDeployments(w http.ResponseWriter, r *http.Request) {
	if b.unformed(w) {
		return
	}
	limit, err := numberOf(r, "limit", 20)
	before := 0
	if err == nil {
		before, err = numberOf(r, "before", 0)
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), statusTimeout)
	defer cancel()
	list, err := b.Deployments(ctx, protocol.Key(before), min(max(limit, 1), maxListed))
	if err != nil {
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"error": err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, list)
}
