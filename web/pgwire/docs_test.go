package pgwire

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"tongbao/register"
)

// TestDocs: docs/sql.md names the limits that hold.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/sql.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		fmt.Sprintf("%d in all, %d of an account, closed after %.0f minutes without a statement and after %.0f hours",
			MaxSessions, MaxOwn, register.SessionIdle.Minutes(), register.SessionMost.Hours()),
		fmt.Sprintf("a message has at most %d KiB, a session %d prepared statements", MaxMessage>>10, MaxStatements),
		fmt.Sprintf("has at most %d MiB", MaxKept>>20),
		"listen: " + DefaultListen,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("docs/sql.md lacks %q", want)
		}
	}
}
