package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
	"google.golang.org/protobuf/proto"

	adminpb "github.com/grevy-io/grevy/admin/v1"
)

// sample is what a cluster would send: streams of the given lengths, half noise
// and half repetition.
type sample struct {
	parts   []*adminpb.BackupPart
	streams map[int32][]byte
}

func newSample(seed uint64, lengths ...int) *sample {
	r := rand.New(rand.NewPCG(seed, 1))
	s := &sample{streams: map[int32][]byte{}}
	s.parts = append(s.parts, &adminpb.BackupPart{Part: &adminpb.BackupPart_Header{Header: &adminpb.BackupHeader{
		ClusterId: fmt.Sprintf("%032x", seed), Partitions: int32(len(lengths)), MessagePartitions: int32(len(lengths)),
		Taken: time.Date(2026, 11, 29, 14, 25, 9, 0, time.UTC).UnixMilli() + int64(seed), Version: "1.2.3", Format: 1,
	}}})
	for i, length := range lengths {
		p := int32(i + 1)
		b := make([]byte, length)
		for at := range b {
			if at < length/2 {
				b[at] = byte(r.Uint32())
			} else {
				b[at] = byte(at / 100)
			}
		}
		s.streams[p] = b
		for piece := range slices.Chunk(b, 100_000) {
			s.parts = append(s.parts, &adminpb.BackupPart{Part: &adminpb.BackupPart_Data{Data: &adminpb.BackupData{Partition: p, Data: piece}}})
		}
		sum := sha256.Sum256(b)
		s.parts = append(s.parts, &adminpb.BackupPart{Part: &adminpb.BackupPart_End{End: &adminpb.BackupEnd{Partition: p, Bytes: int64(length), Sha256: sum[:]}}})
	}
	return s
}

// sourceOf gives parts, and before each what step says, unless it is nil.
func sourceOf(parts []*adminpb.BackupPart, step func(n int) error) Source {
	n := 0
	return func() (*adminpb.BackupPart, error) {
		if step != nil {
			if err := step(n); err != nil {
				return nil, err
			}
		}
		n++
		if n > len(parts) {
			return nil, io.EOF
		}
		return parts[n-1], nil
	}
}

// write keeps the sample as a new backup.
func (s *sample) write(t *testing.T, to Store) *Manifest {
	t.Helper()
	m, err := Write(t.Context(), to, NewID(time.Now()), sourceOf(s.parts, nil))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// read collects what a backup gives, and checks its form.
type read struct {
	header  *adminpb.BackupHeader
	streams map[int32][]byte
	ends    []*adminpb.BackupEnd
}

func (r *read) sink(p *adminpb.BackupPart) error {
	switch {
	case p.GetHeader() != nil:
		r.header, r.streams = p.GetHeader(), map[int32][]byte{}
	case p.GetData() != nil:
		d := p.GetData()
		r.streams[d.GetPartition()] = append(r.streams[d.GetPartition()], d.GetData()...)
	case p.GetEnd() != nil:
		r.ends = append(r.ends, p.GetEnd())
	default:
		return errors.New("an empty part")
	}
	return nil
}

// same fails unless a backup gives what the sample is.
func (s *sample) same(t *testing.T, from Store, m *Manifest) {
	t.Helper()
	var r read
	if err := Read(t.Context(), from, m, r.sink); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(r.header, s.parts[0].GetHeader()) {
		t.Errorf("header %v, want %v", r.header, s.parts[0])
	}
	var ends []*adminpb.BackupEnd
	for _, p := range s.parts {
		if p.GetEnd() != nil {
			ends = append(ends, p.GetEnd())
		}
	}
	if !slices.EqualFunc(r.ends, ends, func(a, b *adminpb.BackupEnd) bool { return proto.Equal(a, b) }) {
		t.Errorf("ends %v, want %v", r.ends, ends)
	}
	for p, b := range s.streams {
		if !bytes.Equal(r.streams[p], b) {
			t.Errorf("partition %d: %d bytes, want %d", p, len(r.streams[p]), len(b))
		}
	}
}

// ids lists what is there, and fails if any of it is not whole.
func ids(t *testing.T, s Store) (list []string) {
	t.Helper()
	entries, err := List(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Err != nil {
			t.Fatal(e.Err)
		}
		if err := Read(t.Context(), s, e.Manifest, ignore); err != nil {
			t.Fatal(err)
		}
		list = append(list, e.ID)
	}
	return list
}

// empty fails unless nothing at all is left of any backup.
func empty(t *testing.T, s Store) {
	t.Helper()
	if left, err := s.List(t.Context(), ""); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
	if n, err := s.Sweep(t.Context(), time.Now().Add(time.Hour)); err != nil || n > 0 {
		t.Errorf("%d half-written things are left, %v", n, err)
	}
}

// replace changes the bytes of a stored file behind the package's back.
func replace(t *testing.T, s Store, name string, change func([]byte) []byte) {
	t.Helper()
	b, err := readAll(t.Context(), s, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), name, bytes.NewReader(change(b))); err != nil {
		t.Fatal(err)
	}
}

// eachStore runs a test on every kind of store.
func eachStore(t *testing.T, test func(t *testing.T, s Store)) {
	t.Run("dir", func(t *testing.T) {
		s, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "backups"))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.(*dirStore).makeDir(s.(*dirStore).root); err != nil {
			t.Fatal(err)
		}
		test(t, s)
	})
	t.Run("s3", func(t *testing.T) { test(t, newS3(t).open(t, "s3://backups/of/grevy")) })
}

// s3Server is a store that speaks S3 and checks signatures, in this process.
type s3Server struct {
	address string
	faker   http.Handler
	fault   func(w http.ResponseWriter, r *http.Request) (answered bool) // before the store sees it
}

const (
	testKey    = "AKIDTEST"
	testSecret = "not a secret at all"
)

func newS3(t *testing.T) *s3Server {
	t.Helper()
	at := gofakes3.DefaultTimeSource()
	backend := s3mem.New(s3mem.WithTimeSource(at))
	if err := backend.CreateBucket(t.Context(), "backups"); err != nil {
		t.Fatal(err)
	}
	faker := gofakes3.New(backend, gofakes3.WithV4Auth(map[string]string{testKey: testSecret}), gofakes3.WithTimeSource(at)).Server()
	s := &s3Server{faker: faker}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.fault == nil || !s.fault(w, r) {
			faker.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.address = u.Host
	t.Setenv("AWS_ACCESS_KEY_ID", testKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", testSecret)
	t.Setenv("AWS_REGION", "us-east-1")
	return s
}

// cut answers a request with the first half of what the store says.
func (s *s3Server) cut(w http.ResponseWriter, r *http.Request) {
	var whole bytes.Buffer
	rec := &recorder{w.Header(), &whole, http.StatusOK}
	s.faker.ServeHTTP(rec, r)
	w.WriteHeader(rec.code)
	// The server closes the connection, since less comes than was announced.
	_, _ = w.Write(whole.Bytes()[:whole.Len()/2])
}

// recorder keeps an answer back.
type recorder struct {
	header http.Header
	io.Writer
	code int
}

func (r *recorder) Header() http.Header  { return r.header }
func (r *recorder) WriteHeader(code int) { r.code = code }

func (s *s3Server) open(t *testing.T, address string) Store {
	t.Helper()
	sep := "?"
	if strings.Contains(address, "?") {
		sep = "&"
	}
	store, err := OpenStore(t.Context(), address+sep+"insecure&endpoint="+s.address)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

var errBroken = errors.New("the source is broken")

func ignore(*adminpb.BackupPart) error { return nil }

func hexBytes(s string) ([]byte, error) { return hex.DecodeString(s) }
