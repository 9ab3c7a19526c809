package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// Store keeps the files of backups. They are called ID/FILE. Errors say which
// file of which store, what went wrong and what helps.
type Store interface {
	// Put writes a file: whatever r gives until io.EOF. It is there whole and
	// durably, or it is not there at all. An error of r is in the error.
	Put(ctx context.Context, name string, r io.Reader) error
	// Open reads a file. There is none: fs.ErrNotExist.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// List lists the files of a backup, or of all if id is empty. What does not
	// belong to a backup, and what is half-written, is not in it.
	List(ctx context.Context, id string) ([]Stored, error)
	// Remove removes a file, durably. That it is not there is no error.
	Remove(ctx context.Context, name string) error
	// Sweep removes what killed writers have left of files before a time, and
	// tells how much that was.
	Sweep(ctx context.Context, before time.Time) (int, error)
	// String is the store's address, as people know it.
	String() string
}

// Stored is a file in a store.
type Stored struct {
	ID, File string
	Bytes    int64
	Modified time.Time
}

// OpenStore opens the store at an address: a directory, as a path or file:///PATH,
// or s3://BUCKET/PREFIX?endpoint=HOST:PORT&region=REGION&insecure, whose
// credentials come from where the tools of AWS have theirs.
func OpenStore(ctx context.Context, address string) (Store, error) {
	scheme, _, isURL := strings.Cut(address, "://")
	if address == "" {
		return nil, errors.New("where the backups are to be kept is missing: a directory, or s3://BUCKET/PREFIX")
	}
	if !isURL {
		return openDir(osDisk{}, address)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", address, err)
	}
	switch scheme {
	case "file":
		if u.Host != "" && u.Host != "localhost" || u.RawQuery != "" {
			return nil, fmt.Errorf("%q: a directory is given as a path, or as file:///PATH", address)
		}
		return openDir(osDisk{}, u.Path)
	case "s3":
		return openS3(ctx, u)
	}
	return nil, fmt.Errorf("%q: backups are kept in a directory or in s3://BUCKET/PREFIX", address)
}
