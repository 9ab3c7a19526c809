//go:build unix

package diskspace

import "golang.org/x/sys/unix"

// Of tells of the disk that holds a directory: what this process may still use.
func Of(dir string) func() (free, total uint64, err error) {
	return func() (free, total uint64, err error) {
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err != nil {
			return 0, 0, err
		}
		return uint64(st.Bavail) * uint64(st.Bsize), uint64(st.Blocks) * uint64(st.Bsize), nil
	}
}
