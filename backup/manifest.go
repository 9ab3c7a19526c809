package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"time"

	adminpb "github.com/grevy-io/grevy/admin/v1"
)

var (
	// ErrNotFound is in the error about a backup that is not there.
	ErrNotFound = errors.New("there is no such backup")
	// ErrDamaged is in the error about a backup that is not what was written.
	ErrDamaged = errors.New("it is damaged")
)

// manifestFormat is the version of the manifest and of the files it names.
const manifestFormat = 1

const manifestName = "manifest.json"

// maxManifest is far more than thousands of partitions take.
const maxManifest = 16 << 20

// Manifest says what a backup is. Its fields are documented in
// docs/formats/backup.md.
type Manifest struct {
	Format            int       `json:"format"`
	ID                string    `json:"id"`
	Taken             time.Time `json:"taken"`
	Cluster           string    `json:"cluster"`
	Version           string    `json:"version"`
	Stream            int32     `json:"stream"`
	Partitions        int32     `json:"partitions"`
	MessagePartitions int32     `json:"messagePartitions"`
	Files             []File    `json:"files"`
	// Sum is the SHA-256 of the manifest with nothing in this place.
	Sum string `json:"sum"`
}

// File is what is kept of a partition.
type File struct {
	Partition    int32  `json:"partition"`
	Name         string `json:"name"`
	Bytes        int64  `json:"bytes"` // of the partition's stream
	SHA256       string `json:"sha256"`
	StoredBytes  int64  `json:"storedBytes"` // of the file
	StoredSHA256 string `json:"storedSha256"`
}

var filePattern = regexp.MustCompile(`^partition-[1-9]\d{0,9}\.zst$`)

func fileName(partition int32) string { return fmt.Sprintf("partition-%d.zst", partition) }

// Bytes is how long the streams of all partitions are, and their files.
func (m *Manifest) Bytes() (streams, stored int64) {
	for _, f := range m.Files {
		streams += f.Bytes
		stored += f.StoredBytes
	}
	return streams, stored
}

func newManifest(id string, h *adminpb.BackupHeader) *Manifest {
	return &Manifest{
		Format: manifestFormat, ID: id, Taken: time.UnixMilli(h.GetTaken()).UTC(), Cluster: h.GetClusterId(), Version: h.GetVersion(),
		Stream: h.GetFormat(), Partitions: h.GetPartitions(), MessagePartitions: h.GetMessagePartitions(),
	}
}

func (m *Manifest) header() *adminpb.BackupHeader {
	return &adminpb.BackupHeader{
		ClusterId: m.Cluster, Partitions: m.Partitions, MessagePartitions: m.MessagePartitions, Taken: m.Taken.UnixMilli(), Version: m.Version, Format: m.Stream,
	}
}

// check says what is wrong with a manifest.
func (m *Manifest) check() error {
	if m.Partitions < 1 || len(m.Files) != int(m.Partitions) {
		return fmt.Errorf("%d partitions and %d files", m.Partitions, len(m.Files))
	}
	seen := map[int32]bool{}
	for _, f := range m.Files {
		switch {
		case f.Partition < 1 || f.Partition > m.Partitions || seen[f.Partition]:
			return fmt.Errorf("partition %d is one too many of %d", f.Partition, m.Partitions)
		case f.Name != fileName(f.Partition):
			return fmt.Errorf("partition %d is in a file %q", f.Partition, f.Name)
		case f.Bytes < 0 || f.StoredBytes < 0:
			return fmt.Errorf("partition %d has %d bytes, stored as %d", f.Partition, f.Bytes, f.StoredBytes)
		}
		seen[f.Partition] = true
	}
	return nil
}

// encode gives the bytes of the manifest, and its sum.
func (m *Manifest) encode() ([]byte, error) {
	m.Sum = ""
	bare, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	bare = append(bare, '\n')
	m.Sum = sumOf(bare)
	at := bytes.LastIndexByte(bare, '"')
	return append(append(bare[:at:at], m.Sum...), bare[at:]...), nil
}

func decodeManifest(b []byte) (*Manifest, error) {
	m := new(Manifest)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("its manifest can not be read: %w", err)
	}
	if m.Format != manifestFormat {
		return nil, fmt.Errorf("its manifest has format %d, this grevy knows %d only: use a newer one", m.Format, manifestFormat)
	}
	at := bytes.LastIndex(b, []byte(m.Sum))
	if len(m.Sum) != 2*sha256.Size || at < 0 || sumOf(append(b[:at:at], b[at+len(m.Sum):]...)) != m.Sum {
		return nil, errors.New("its manifest is not what was written")
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("its manifest can not be: %w", err)
	}
	return m, nil
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Load reads the manifest of a backup.
func Load(ctx context.Context, s Store, id string) (*Manifest, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	b, err := readAll(ctx, s, id+"/"+manifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s in %s: %w", id, s, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	m, err := decodeManifest(b)
	if err == nil && m.ID != id {
		err = fmt.Errorf("its manifest is that of %s", m.ID)
	}
	if err != nil {
		return nil, fmt.Errorf("backup %s: %w: %w", id, ErrDamaged, err)
	}
	return m, nil
}

func readAll(ctx context.Context, s Store, name string) ([]byte, error) {
	r, err := s.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(r, maxManifest))
	return b, errors.Join(err, r.Close())
}
