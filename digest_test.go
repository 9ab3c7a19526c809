package grevy

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A digest is told of what is kept here, and to the machine itself only.
func TestDigest_WhoMayAskForWhat(t *testing.T) {
	b := new(Broker)
	for _, c := range []struct {
		from, query string
		code        int
		says        string
	}{
		{"127.0.0.1:1", "partition=x", http.StatusBadRequest, "is not a number"},
		{"127.0.0.1:1", "", http.StatusBadRequest, "is not a number"},
		{"127.0.0.1:1", "partition=9", http.StatusServiceUnavailable, "partition 9 is not kept on node 0"},
		{"10.0.0.9:1", "partition=1", http.StatusForbidden, "this machine only"},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/debug/digest?"+c.query, nil)
		r.RemoteAddr = c.from
		local(b.serveDigest)(w, r)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s ?%s: %d %s", c.from, c.query, w.Code, w.Body)
		}
	}
}
