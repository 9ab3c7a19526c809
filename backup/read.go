package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"

	"github.com/klauspost/compress/zstd"

	adminpb "github.com/grevy-io/grevy/admin/v1"
)

// Sink takes the parts of a backup in order: Send of the call.
type Sink func(*adminpb.BackupPart) error

// pieceSize is how much of a stream one part carries.
const pieceSize = 512 << 10

// Read gives the parts of a backup as they were taken. A partition's end is
// given only if everything before it is what was written; if it is not, that is
// ErrDamaged. An error of send is in the error. With a send that does nothing
// it verifies the backup.
func Read(ctx context.Context, s Store, m *Manifest, send Sink) error {
	if err := send(&adminpb.BackupPart{Part: &adminpb.BackupPart_Header{Header: m.header()}}); err != nil {
		return err
	}
	for i := range m.Files {
		if err := readPartition(ctx, s, m.ID, &m.Files[i], send); err != nil {
			return fmt.Errorf("backup %s, partition %d: %w", m.ID, m.Files[i].Partition, err)
		}
	}
	return nil
}

func readPartition(ctx context.Context, s Store, id string, f *File, send Sink) (err error) {
	r, err := s.Open(ctx, id+"/"+f.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: its file %s is not there", ErrDamaged, f.Name)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	u := &unpacker{file: f, stored: summed{r: r, sum: sha256.New()}}
	if err := u.unpack(ctx, send); err != nil {
		return err
	}
	if err := u.compare(); err != nil {
		return err
	}
	return send(&adminpb.BackupPart{Part: &adminpb.BackupPart_End{
		End: &adminpb.BackupEnd{Partition: f.Partition, Bytes: u.stream.n, Sha256: u.stream.sum.Sum(nil)},
	}})
}

// unpacker reads a partition's file and the stream in it.
type unpacker struct {
	file           *File
	stored, stream summed
}

func (u *unpacker) unpack(ctx context.Context, send Sink) error {
	d, err := zstd.NewReader(&u.stored, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer d.Close()
	u.stream = summed{r: d, sum: sha256.New()}
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := make([]byte, pieceSize) // anew, since send may keep it
		n, err := io.ReadFull(&u.stream, b)
		if more, err = u.goesOn(err); err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		data := &adminpb.BackupData{Partition: u.file.Partition, Data: b[:n]}
		if err := send(&adminpb.BackupPart{Part: &adminpb.BackupPart_Data{Data: data}}); err != nil {
			return err
		}
	}
	_, err = io.Copy(io.Discard, &u.stored) // what stands behind the stream belongs to the sum
	return err
}

// goesOn judges how reading a piece has ended.
func (u *unpacker) goesOn(err error) (more bool, _ error) {
	switch {
	case u.stored.err != nil: // of the store; the stream may call it otherwise
		return false, u.stored.err
	case err == io.EOF || err == io.ErrUnexpectedEOF: // if it is too early, the sums tell
		return false, nil
	case err != nil:
		return false, fmt.Errorf("%w: its file %s can not be unpacked: %w", ErrDamaged, u.file.Name, err)
	case u.stream.n > u.file.Bytes:
		return false, fmt.Errorf("%w: its file %s holds more than was written", ErrDamaged, u.file.Name)
	}
	return true, nil
}

// compare says whether the file and the stream are those of the manifest.
func (u *unpacker) compare() error {
	for _, c := range []struct {
		what   string
		is     *summed
		bytes  int64
		sha256 string
	}{
		{"file " + u.file.Name, &u.stored, u.file.StoredBytes, u.file.StoredSHA256},
		{"stream", &u.stream, u.file.Bytes, u.file.SHA256},
	} {
		if is := hex.EncodeToString(c.is.sum.Sum(nil)); is != c.sha256 || c.is.n != c.bytes {
			return fmt.Errorf("%w: its %s has %d bytes and SHA-256 %s, written were %d bytes and %s", ErrDamaged, c.what, c.is.n, is, c.bytes, c.sha256)
		}
	}
	return nil
}

// summed counts and sums what is read, and remembers what went wrong.
type summed struct {
	r   io.Reader
	sum hash.Hash
	n   int64
	err error // not io.EOF
}

// Read implements io.Reader.
func (s *summed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.sum.Write(p[:n])
	s.n += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
