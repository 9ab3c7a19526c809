package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	adminpb "github.com/grevy-io/grevy/admin/v1"
)

// Source gives the parts of a backup in order, then io.EOF: Recv of the call.
type Source func() (*adminpb.BackupPart, error)

// cleanUpTime is how long a backup that has failed is given to disappear.
const cleanUpTime = time.Minute

// Write keeps a backup under a name of NewID. When it returns the backup is
// there, durably and whole; if it fails there is none. An error of next is in
// the error.
func Write(ctx context.Context, s Store, id string, next Source) (*Manifest, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	m, err := write(ctx, s, id, next)
	if err == nil {
		return m, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
	defer cancel()
	if left := removeFiles(ctx, s, id); left != nil {
		err = errors.Join(err, fmt.Errorf("what was written of it is still there: %w", left))
	}
	return nil, err
}

func write(ctx context.Context, s Store, id string, next Source) (*Manifest, error) {
	first, err := next()
	if err != nil {
		return nil, unexpected(err)
	}
	h := first.GetHeader()
	if h == nil {
		return nil, errors.New("a backup begins with its header, and this does not")
	}
	m := newManifest(id, h)
	for range h.GetPartitions() {
		f, err := writePartition(ctx, s, id, next)
		if err != nil {
			return nil, err
		}
		m.Files = append(m.Files, f)
	}
	if _, err := next(); err != io.EOF {
		return nil, errors.Join(errors.New("the backup goes on behind its last partition"), err)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("the backup can not be: %w", err)
	}
	b, err := m.encode()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m, s.Put(ctx, id+"/"+manifestName, bytes.NewReader(b))
}

// unexpected tells an end that comes too early from one that is due.
func unexpected(err error) error {
	if err == io.EOF {
		return errors.New("the backup ends before its end")
	}
	return err
}

func writePartition(ctx context.Context, s Store, id string, next Source) (File, error) {
	first, err := next()
	if err != nil {
		return File{}, unexpected(err)
	}
	partition := max(first.GetData().GetPartition(), first.GetEnd().GetPartition())
	if partition < 1 {
		return File{}, errors.New("where a partition is to begin, something else comes")
	}
	p := &packer{ctx: ctx, next: next, sum: sha256.New(), storedSum: sha256.New(), file: File{Partition: partition, Name: fileName(partition)}}
	if p.enc, err = zstd.NewWriter(&p.out, zstd.WithEncoderConcurrency(1)); err != nil {
		return File{}, err
	}
	if err := p.take(first); err != nil {
		return File{}, err
	}
	if err := s.Put(ctx, id+"/"+p.file.Name, p); err != nil {
		if p.err != nil {
			err = p.err // the store was not the reason
		}
		return File{}, err
	}
	if !p.done || p.out.Len() > 0 {
		return File{}, fmt.Errorf("%s has not taken all of %s", s, p.file.Name)
	}
	p.file.SHA256, p.file.StoredSHA256 = hex.EncodeToString(p.sum.Sum(nil)), hex.EncodeToString(p.storedSum.Sum(nil))
	return p.file, nil
}

// packer is a partition's file as a reader: it takes parts from the source and
// compresses them, one at a time.
type packer struct {
	ctx            context.Context
	next           Source
	file           File
	sum, storedSum hash.Hash
	enc            *zstd.Encoder // writes to out, in the caller's goroutine
	out            bytes.Buffer
	done           bool
	err            error
}

// Read implements io.Reader.
func (p *packer) Read(b []byte) (int, error) {
	for p.out.Len() == 0 && !p.done && p.err == nil {
		if p.err = p.ctx.Err(); p.err != nil {
			break
		}
		part, err := p.next()
		if err == nil {
			err = p.take(part)
		}
		if err != nil {
			p.err = fmt.Errorf("partition %d: %w", p.file.Partition, unexpected(err))
		}
	}
	if p.err != nil {
		return 0, p.err
	}
	if p.out.Len() == 0 {
		return 0, io.EOF
	}
	n, err := p.out.Read(b)
	p.storedSum.Write(b[:n])
	p.file.StoredBytes += int64(n)
	return n, err
}

// take compresses a part. At the partition's end it compares what was said of
// the stream with what has come.
func (p *packer) take(part *adminpb.BackupPart) error {
	data, end := part.GetData(), part.GetEnd()
	switch {
	case data != nil && data.GetPartition() == p.file.Partition:
		p.sum.Write(data.GetData())
		p.file.Bytes += int64(len(data.GetData()))
		_, err := p.enc.Write(data.GetData())
		return err
	case end == nil || end.GetPartition() != p.file.Partition:
		return fmt.Errorf("partition %d is not at its end, and something else comes", p.file.Partition)
	case end.GetBytes() != p.file.Bytes || !bytes.Equal(end.GetSha256(), p.sum.Sum(nil)):
		return fmt.Errorf("%d bytes have come that are not the %d bytes that were sent: the network has damaged them, take the backup again", p.file.Bytes, end.GetBytes())
	}
	p.done = true
	return p.enc.Close()
}
