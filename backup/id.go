package backup

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"
)

const idTime = "20060102T150405Z"

var idPattern = regexp.MustCompile(`^\d{8}T\d{6}Z-[0-9a-f]{8}$`)

// NewID names a backup after the time when it is begun, so that names sort by
// it, and a random number, so that no two are the same.
func NewID(now time.Time) string {
	var b [4]byte
	rand.Read(b[:]) // never fails
	return now.UTC().Format(idTime) + "-" + hex.EncodeToString(b[:])
}

func checkID(id string) error {
	if _, err := timeOf(id); err != nil || !idPattern.MatchString(id) {
		return fmt.Errorf("%q is no backup's name: they look like 20261129T142509Z-1f2e3d4c", id)
	}
	return nil
}

// timeOf is when a backup was begun, by its name.
func timeOf(id string) (time.Time, error) {
	begun, _, _ := strings.Cut(id, "-")
	return time.Parse(idTime, begun)
}

// split takes the name of a file apart; ok is false for what is no file of a
// backup, and none of this package's business.
func split(name string) (id, file string, ok bool) {
	id, file, ok = strings.Cut(name, "/")
	return id, file, ok && checkID(id) == nil && (file == manifestName || filePattern.MatchString(file))
}
