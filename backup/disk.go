package backup

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// disk is what a directory of backups asks of a file system. It is a seam for
// fault tests.
type disk interface {
	// Mkdir makes a directory in one that is there; made is false if it was there.
	Mkdir(name string) (made bool, err error)
	// Create makes a file that is not there yet.
	Create(name string) (diskFile, error)
	Open(name string) (io.ReadCloser, error)
	List(name string) ([]fs.FileInfo, error)
	Rename(from, to string) error
	Remove(name string) error
	// SyncDir makes created, renamed and removed names of a directory durable.
	SyncDir(name string) error
}

type diskFile interface {
	io.WriteCloser
	Sync() error
}

type osDisk struct{}

func (osDisk) Mkdir(name string) (made bool, err error) {
	err = os.Mkdir(name, 0o700)
	if errors.Is(err, fs.ErrExist) {
		info, statErr := os.Stat(name)
		if statErr == nil && info.IsDir() {
			return false, nil
		}
		return false, errors.Join(err, statErr)
	}
	return err == nil, err
}

func (osDisk) Create(name string) (diskFile, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err // not a nil *os.File in the interface
	}
	return f, nil
}

func (osDisk) Open(name string) (io.ReadCloser, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// List leaves out what is removed meanwhile.
func (osDisk) List(name string) (list []fs.FileInfo, err error) {
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, info)
	}
	return list, nil
}

func (osDisk) Rename(from, to string) error { return os.Rename(from, to) }
func (osDisk) Remove(name string) error     { return os.Remove(name) }

func (osDisk) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
