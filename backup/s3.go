package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// partSize is how much of a file is uploaded or read at once; a few times as much
// is in memory. A file may have 10,000 parts: 156 GiB.
const partSize = 16 << 20

// s3Store keeps backups in a bucket: PREFIX/ID/FILE. An object is there whole or
// not at all, by the protocol.
type s3Store struct {
	client         minio.Core
	bucket, prefix string
}

func openS3(ctx context.Context, u *url.URL) (*s3Store, error) {
	a, err := parseS3(u)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", u.Redacted(), err)
	}
	creds, err := findCredentials(ctx)
	if err != nil {
		return nil, err
	}
	transport, err := minio.DefaultTransport(!a.insecure)
	if err != nil {
		return nil, fmt.Errorf("connections to the store: %w", err)
	}
	c, err := minio.New(a.endpoint, &minio.Options{Creds: creds, Secure: !a.insecure, Region: a.region, Transport: ownBodies{transport}})
	if err != nil {
		return nil, fmt.Errorf("%q: %w", u.Redacted(), err)
	}
	return &s3Store{minio.Core{Client: c}, a.bucket, a.prefix}, nil
}

// String implements Store.
func (s *s3Store) String() string { return "s3://" + path.Join(s.bucket, s.prefix) }

func (s *s3Store) key(name string) string { return path.Join(s.prefix, name) }

// name is what a key is called here; ok is false if it is no file of a backup.
func (s *s3Store) name(key string) (id, file string, ok bool) {
	if s.prefix != "" {
		if key, ok = strings.CutPrefix(key, s.prefix+"/"); !ok {
			return "", "", false
		}
	}
	return split(key)
}

// below is the prefix of a backup's keys, or of all.
func (s *s3Store) below(id string) string {
	if p := s.key(id); p != "" {
		return p + "/"
	}
	return ""
}

// foldersOf lists the backups among what was found below the prefix of all.
func foldersOf[Found any](s *s3Store, found []Found, key func(Found) string) (list []string) {
	for _, f := range found {
		id, ok := strings.CutSuffix(strings.TrimPrefix(key(f), s.below("")), "/")
		if ok && checkID(id) == nil {
			list = append(list, id)
		}
	}
	return list
}

// Put implements Store. What has no known length is uploaded in parts; if that
// fails the client takes them back.
func (s *s3Store) Put(ctx context.Context, name string, r io.Reader) error {
	size := int64(-1)
	if known, ok := r.(interface{ Len() int }); ok {
		size = int64(known.Len())
	}
	_, err := s.client.Client.PutObject(ctx, s.bucket, s.key(name), r, size, minio.PutObjectOptions{
		PartSize: partSize, ContentType: "application/octet-stream",
		// Buckets with object lock want a sum. At Google's endpoint the client does not
		// upload in parts, and so has none.
		SendContentMd5: !s3utils.IsGoogleEndpoint(*s.client.EndpointURL()),
	})
	return s.explain(err, "write", name, "s3:PutObject")
}

// Open implements Store.
func (s *s3Store) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	info, err := s.client.StatObject(ctx, s.bucket, s.key(name), minio.StatObjectOptions{})
	if err != nil {
		return nil, s.explain(err, "read", name, "s3:GetObject and s3:ListBucket")
	}
	return &s3Reader{ctx: ctx, s: s, name: name, etag: info.ETag, size: info.Size}, nil
}

// List implements Store. It goes by folders, so that what else is in the bucket
// costs nothing.
func (s *s3Store) List(ctx context.Context, id string) (list []Stored, err error) {
	ids := []string{id}
	if id == "" {
		found, err := s.objects(ctx, s.below(""))
		if err != nil {
			return nil, err
		}
		ids = foldersOf(s, found, func(o minio.ObjectInfo) string { return o.Key })
	}
	for _, id := range ids {
		found, err := s.objects(ctx, s.below(id))
		if err != nil {
			return nil, err
		}
		for _, o := range found {
			if id, file, ok := s.name(o.Key); ok {
				list = append(list, Stored{id, file, o.Size, o.LastModified})
			}
		}
	}
	return list, nil
}

// objects lists what is directly below a prefix: objects, and folders with a
// slash at their end.
func (s *s3Store) objects(ctx context.Context, below string) (list []minio.ObjectInfo, err error) {
	for o := range s.client.Client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: below}) {
		if o.Err != nil {
			err = errors.Join(err, s.explain(o.Err, "list", below, "s3:ListBucket"))
		}
		list = append(list, o)
	}
	return list, err
}

// Remove implements Store.
func (s *s3Store) Remove(ctx context.Context, name string) error {
	err := s.client.RemoveObject(ctx, s.bucket, s.key(name), minio.RemoveObjectOptions{})
	if err = s.explain(err, "remove", name, "s3:DeleteObject"); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Sweep implements Store: uploads that were begun and never ended are aborted.
func (s *s3Store) Sweep(ctx context.Context, before time.Time) (n int, err error) {
	found, err := s.uploads(ctx, s.below(""))
	if err != nil {
		return 0, err
	}
	for _, id := range foldersOf(s, found, func(up minio.ObjectMultipartInfo) string { return up.Key }) {
		found, err := s.uploads(ctx, s.below(id))
		if err != nil {
			return n, err
		}
		for _, up := range found {
			if _, _, ok := s.name(up.Key); !ok || !up.Initiated.Before(before) {
				continue
			}
			err := s.client.AbortMultipartUpload(ctx, s.bucket, up.Key, up.UploadID)
			if err != nil && minio.ToErrorResponse(err).Code != minio.NoSuchUpload {
				return n, s.explain(err, "abort the upload of", up.Key, "s3:AbortMultipartUpload")
			}
			n++
		}
	}
	return n, nil
}

// uploads is objects, of those that are not at their end.
func (s *s3Store) uploads(ctx context.Context, below string) (list []minio.ObjectMultipartInfo, err error) {
	for up := range s.client.ListIncompleteUploads(ctx, s.bucket, below, false) {
		if minio.ToErrorResponse(up.Err).Code == minio.NoSuchUpload {
			continue // so some stores say that there are none
		}
		if up.Err != nil {
			err = errors.Join(err, s.explain(up.Err, "list uploads", below, "s3:ListBucketMultipartUploads"))
		}
		list = append(list, up)
	}
	return list, err
}

// explain says of an error what was done and what helps; may is the permission
// that it takes.
func (s *s3Store) explain(err error, what, name, may string) error {
	if err == nil {
		return nil
	}
	var answer minio.ErrorResponse
	hint := "does it answer at the endpoint, by https unless the address has insecure?"
	if errors.As(err, &answer) {
		hint = s.hint(answer, may)
	}
	if answer.Code == minio.NoSuchKey || what == "read" && answer.StatusCode == http.StatusNotFound && answer.Code != minio.NoSuchBucket {
		err = fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	if hint != "" {
		hint = " (" + hint + ")"
	}
	return fmt.Errorf("%s: %s: %w%s", s, strings.TrimSpace(what+" "+name), err, hint)
}

func (s *s3Store) hint(answer minio.ErrorResponse, may string) string {
	switch answer.Code {
	case minio.AccessDenied:
		return "the key must have " + may + " there"
	case minio.NoSuchBucket:
		return "make the bucket " + s.bucket + ", or give another"
	case minio.InvalidAccessKeyID, minio.SignatureDoesNotMatch, "ExpiredToken", "InvalidToken":
		return "look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the file of credentials"
	case minio.AuthorizationHeaderMalformed, "PermanentRedirect":
		return "is the region right? region=" + answer.Region
	case minio.RequestTimeTooSkewed:
		return "set the clock of this machine"
	case minio.NoSuchKey:
		return ""
	}
	return "the store said it; try again, then look at the store"
}
