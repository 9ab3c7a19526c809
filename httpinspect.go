package grevy

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/grevy-io/grevy/protocol"
)

// inspectTimeout bounds how long lists are waited for; a partition that has
// much may take more than a status.
const inspectTimeout = 4 * time.Second

// maxListed is how many rows are told at once.
const maxListed = 10_000

// inspectOver serves what is in the partitions: each list with ?name=,
// &partition= and &limit=, and an instance by a key in it.
func (b *Broker) inspectOver(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/incidents", b.private(b.serveList(func(ctx context.Context, q Query) any { return b.Incidents(ctx, q) })))
	mux.HandleFunc("GET /api/instances", b.private(b.serveList(func(ctx context.Context, q Query) any { return b.Instances(ctx, q) })))
	mux.HandleFunc("GET /api/messages", b.private(b.serveList(func(ctx context.Context, q Query) any { return b.Messages(ctx, q) })))
	mux.HandleFunc("GET /api/instances/{key}", b.private(b.serveInstance))
}

// private lets only this machine ask if clients need TLS: variables and
// correlation keys are theirs, and this port has none of it.
func (b *Broker) private(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if b.ClientTLS.on() && !asksItself(r) {
			writeJSON(w, http.StatusForbidden, map[string]string{"error": "clients of this cluster need TLS: what is in its instances is told to the node's own machine only; run grevy there"})
			return
		}
		serve(w, r)
	}
}

func (b *Broker) serveList(list func(context.Context, Query) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if b.unformed(w) {
			return
		}
		q := Query{Name: r.FormValue("name")}
		var err error
		if q.Limit, err = numberOf(r, "limit", 100); err == nil {
			q.Partition, err = numberOf(r, "partition", 0)
		}
		if err != nil {
			writeJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		q.Limit = min(max(q.Limit, 1), maxListed)
		ctx, cancel := context.WithTimeout(r.Context(), inspectTimeout)
		defer cancel()
		writeJSON(w, http.StatusOK, list(ctx, q))
	}
}

func numberOf(r *http.Request, name string, def int) (int, error) {
	text := r.FormValue(name)
	if text == "" {
		return def, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, errors.New(name + ": " + strconv.Quote(text) + " is not a number")
	}
	return n, nil
}

// unformed tells who asks that there is nobody to ask yet.
func (b *Broker) unformed(w http.ResponseWriter) bool {
	if b.joined.Load() {
		return false
	}
	writeJSON(w, http.StatusServiceUnavailable, map[string]string{"error": "the cluster has not formed (see grevy status)"})
	return true
}

func (b *Broker) serveInstance(w http.ResponseWriter, r *http.Request) {
	if b.unformed(w) {
		return
	}
	key, err := strconv.ParseInt(r.PathValue("key"), 10, 64)
	maxValue := 0
	if err == nil {
		maxValue, err = numberOf(r, "value", 200)
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), inspectTimeout)
	defer cancel()
	tree, err := b.Instance(ctx, protocol.Key(key), maxValue)
	var rejection *protocol.Rejection
	switch {
	case errors.As(err, &rejection):
		writeJSON(w, http.StatusNotFound, map[string]string{"error": rejection.Reason})
	case err != nil:
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"error": err.Error()})
	default:
		writeJSON(w, http.StatusOK, tree)
	}
}
