package backup

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/minio/minio-go/v7"
)

// s3Reader reads an object piece by piece: one answer for the whole of it would
// be cut off by the store while the cluster takes its time, and could not be
// tried again. All pieces are of the same object, by its ETag.
type s3Reader struct {
	ctx        context.Context
	s          *s3Store
	name, etag string
	at, size   int64
	buf, rest  []byte
}

// Read implements io.Reader.
func (r *s3Reader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.at == r.size {
			return 0, io.EOF
		}
		if err := r.fetch(); err != nil {
			return 0, r.s.explain(err, "read", r.name, "s3:GetObject")
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Close implements io.Closer; nothing is open between two pieces.
func (r *s3Reader) Close() error { return nil }

// fetchAttempts is how often a piece is asked for whose bytes did not all come.
// What the store refuses, and connections that fail, the client tries again.
const fetchAttempts = 5

func (r *s3Reader) fetch() (err error) {
	if r.buf == nil {
		r.buf = make([]byte, min(partSize, r.size))
	}
	piece := r.buf[:min(int64(len(r.buf)), r.size-r.at)]
	for range fetchAttempts {
		var cut bool
		if cut, err = r.piece(piece); !cut || r.ctx.Err() != nil {
			break
		}
	}
	if err == nil {
		r.at += int64(len(piece))
		r.rest = piece
	}
	return err
}

// piece reads what is at r.at; cut means that the answer ended too early.
func (r *s3Reader) piece(p []byte) (cut bool, err error) {
	var o minio.GetObjectOptions
	if err := errors.Join(o.SetRange(r.at, r.at+int64(len(p))-1), o.SetMatchETag(r.etag)); err != nil {
		return false, err
	}
	body, info, _, err := r.s.client.GetObject(r.ctx, r.s.bucket, r.s.key(r.name), o)
	if err != nil {
		return false, err
	}
	if info.Size != int64(len(p)) {
		return false, errors.Join(fmt.Errorf("the store gives %d bytes where %d were asked for", info.Size, len(p)), body.Close())
	}
	_, err = io.ReadFull(body, p)
	return err != nil, errors.Join(err, body.Close())
}
