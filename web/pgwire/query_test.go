package pgwire

import (
	"fmt"
	"testing"
)

func texts(values []any) []string {
	all := make([]string, len(values))
	for i, value := range values {
		all[i] = fmt.Sprint(value)
	}
	return all
}

func TestSelect(t *testing.T) {
	d := openDoor(t, nil)
	d.isHealthy(t)
}
