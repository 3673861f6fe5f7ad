package pipeline

import "syscall"

// diskFree returns the bytes that are free for us and the size of the file
// system that path lies on.
func diskFree(path string) (free, size int64, err error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		return 0, 0, err
	}
	return int64(fs.Bavail) * fs.Bsize, int64(fs.Blocks) * fs.Bsize, nil
}
