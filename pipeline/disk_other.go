//go:build !linux

package pipeline

import "errors"

// diskFree is only known on Linux, where the service runs.
func diskFree(string) (free, size int64, err error) {
	return 0, 0, errors.ErrUnsupported
}
