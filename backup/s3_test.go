package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	adminpb "github.com/grevy-io/grevy/admin/v1"
)

// refuse answers as a store that does not allow something.
func refuse(w http.ResponseWriter) bool {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusForbidden)
	_, err := w.Write([]byte(`<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>`))
	return err == nil
}

// Each request in turn is refused: the one, or all from it on.
func TestS3_WriteFailsAtEveryRequest(t *testing.T) {
	sample := newSample(1, 2*partSize+10, 20)
	for _, dies := range []bool{false, true} {
		for at := int64(1); ; at++ {
			server := newS3(t)
			s := server.open(t, "s3://backups/of/grevy")
			var n atomic.Int64
			failed := ""
			server.fault = func(w http.ResponseWriter, r *http.Request) bool {
				if now := n.Add(1); now != at && (!dies || now < at) {
					return false
				}
				if failed == "" {
					failed = r.Method + " " + r.URL.String()
				}
				return refuse(w)
			}
			_, err := Write(t.Context(), s, NewID(time.Now()), sourceOf(sample.parts, nil))
			server.fault = nil
			if failed == "" {
				if err != nil || at < 7 {
					t.Fatalf("nothing failed after %d requests: %v", at, err)
				}
				break
			}
			if err == nil || !strings.Contains(err.Error(), "the key must have s3:") {
				t.Errorf("%s: %v", failed, err)
			}
			if list := ids(t, s); len(list) > 0 {
				t.Errorf("%s: %v is there", failed, list)
			}
			if !dies && !strings.Contains(failed, "DELETE") {
				empty(t, s)
			}
			// What a killed writer leaves goes with the next prune, once it is old.
			if err := sweep(t.Context(), s, time.Now().Add(time.Hour)); err != nil {
				t.Errorf("%s: %v", failed, err)
			}
			empty(t, s)
		}
	}
}

// What the store does not do at once is tried again, and an answer that is cut
// off too.
func TestS3_IsTriedAgain(t *testing.T) {
	server := newS3(t)
	s := server.open(t, "s3://backups/of/grevy")
	var mu sync.Mutex
	seen := map[string]int{}
	once := func(key string) bool {
		mu.Lock()
		defer mu.Unlock()
		seen[key]++
		return seen[key] == 1
	}
	server.fault = func(w http.ResponseWriter, r *http.Request) bool {
		key := r.Method + r.URL.String() + r.Header.Get("Range")
		switch {
		case r.Method == http.MethodHead: // is not tried again
			return false
		case once(key):
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		case r.Method == http.MethodGet && r.Header.Get("Range") != "" && once("cut "+key):
			server.cut(w, r)
			return true
		}
		return false
	}
	sample := newSample(1, 2*partSize+10, 20)
	m := sample.write(t, s)
	sample.same(t, s, m)
	mu.Lock()
	defer mu.Unlock()
	if len(seen) < 10 {
		t.Errorf("only %d requests", len(seen))
	}
}

func TestS3_AnAnswerThatIsAlwaysCut(t *testing.T) {
	server := newS3(t)
	s := server.open(t, "s3://backups/of/grevy")
	m := newSample(1, 1<<20).write(t, s)
	asked := 0
	server.fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || r.Header.Get("Range") == "" {
			return false
		}
		asked++
		server.cut(w, r)
		return true
	}
	err := Read(t.Context(), s, m, ignore)
	if !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrDamaged) || asked != fetchAttempts {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

// All pieces are of one object: if it becomes another, that is no backup.
func TestS3_AnObjectThatChanges(t *testing.T) {
	server := newS3(t)
	s := server.open(t, "s3://backups/of/grevy")
	m := newSample(1, 3*partSize).write(t, s)
	changed := false
	err := Read(t.Context(), s, m, func(p *adminpb.BackupPart) error {
		if p.GetHeader() != nil || changed {
			return nil
		}
		changed = true
		return s.Put(t.Context(), m.ID+"/"+fileName(1), bytes.NewReader(make([]byte, m.Files[0].StoredBytes)))
	})
	if err == nil || errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "read "+m.ID+"/"+fileName(1)) {
		t.Errorf("%v", err)
	}
}

func TestS3_SaysWhatHelps(t *testing.T) {
	server := newS3(t)
	for address, want := range map[string]string{
		"s3://none/of/grevy": "make the bucket none, or give another",
		"s3://backups/x":     "",
	} {
		s := server.open(t, address)
		if _, err := List(t.Context(), s); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("list %s: %v, want %q", address, err, want)
		}
		if _, err := Write(t.Context(), s, NewID(time.Now()), sourceOf(newSample(1, 1000).parts, nil)); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("write to %s: %v, want %q", address, err, want)
		}
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	if _, err := List(t.Context(), server.open(t, "s3://backups/x")); err == nil || !strings.Contains(err.Error(), "look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY") {
		t.Errorf("a wrong secret: %v", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "unknown")
	if _, err := List(t.Context(), server.open(t, "s3://backups/x")); err == nil || !strings.Contains(err.Error(), "look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY") {
		t.Errorf("an unknown key: %v", err)
	}
}

func TestS3_WhereCredentialsComeFrom(t *testing.T) {
	server := newS3(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	answer := http.StatusNotFound
	role := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(answer)
		if r.Header.Get("Authorization") != "token" {
			t.Errorf("asked with %v", r.Header)
		}
		fmt.Fprintf(w, `{"AccessKeyId":%q,"SecretAccessKey":%q,"Expiration":%q}`, testKey, testSecret, time.Now().Add(time.Hour).Format(time.RFC3339))
	}))
	defer role.Close()
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", role.URL)
	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "token")
	_, err := OpenStore(t.Context(), "s3://backups/x?insecure&endpoint="+server.address)
	if err == nil || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: there are none") || !strings.Contains(err.Error(), "a role of this machine: 404") {
		t.Errorf("nowhere: %v", err)
	}
	works := func(from string) {
		t.Helper()
		if _, err := List(t.Context(), server.open(t, "s3://backups/x")); err != nil {
			t.Errorf("from %s: %v", from, err)
		}
	}
	answer = http.StatusOK
	works("a role")
	answer = http.StatusNotFound
	file := filepath.Join(home, ".aws", "credentials")
	text := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n[other]\naws_access_key_id = o\naws_secret_access_key = o\n", testKey, testSecret)
	if err := errors.Join(os.Mkdir(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	works("the shared file")
	t.Setenv("AWS_PROFILE", "other")
	if _, err := List(t.Context(), server.open(t, "s3://backups/x")); err == nil {
		t.Error("another profile has another key")
	}
}

func TestS3_TheEndpointFromTheEnvironment(t *testing.T) {
	server := newS3(t)
	t.Setenv("AWS_ENDPOINT_URL", "http://"+server.address)
	s, err := OpenStore(t.Context(), "s3://backups")
	if err != nil {
		t.Fatal(err)
	}
	sample := newSample(1, 1000)
	sample.same(t, s, sample.write(t, s))
	if list := ids(t, s); len(list) != 1 {
		t.Errorf("%v", list)
	}
}
