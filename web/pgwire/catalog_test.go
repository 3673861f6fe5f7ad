package pgwire

import (
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestRecorded asks what clients were recorded to send to a PostgreSQL 15.
func TestRecorded(t *testing.T) {
	recorded, err := os.ReadFile("testdata/recorded.sql")
	if err != nil {
		t.Fatal(err)
	}
	conn := openDoor(t, nil).connect(t, "li")
	for block := range strings.SplitSeq(strings.TrimSpace(string(recorded)), "\n\n") {
		client, query, _ := strings.Cut(block, "\n")
		t.Run(strings.TrimPrefix(client, "-- "), func(t *testing.T) {
			args := []any{pgx.QueryExecModeExec}
			if strings.Contains(query, "$1") {
				args = append(args, "text")
			}
			rows, err := conn.Query(t.Context(), query, args...)
			if err != nil {
				t.Fatalf("%v\n%s", err, query)
			}
			found := 0
			for rows.Next() {
				found++
				values, err := rows.Values()
				if err != nil {
					t.Fatal(err)
				}
				if text := strings.ToLower(strings.Join(texts(values), " ")); strings.Contains(text, "secret") || strings.Contains(text, "staff") {
					t.Errorf("a name that the account may not see: %s", text)
				}
			}
			if rows.Err() != nil {
				t.Errorf("%v\n%s", rows.Err(), query)
			}
			t.Logf("%d rows", found)
		})
	}
}
