package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tongbao/pipeline"
	"tongbao/register"
)

// setPgwire gives a workspace a PostgreSQL door on a free port, for this
// machine alone, and nothing else that listens.
func setPgwire(t *testing.T, town string) {
	t.Helper()
	setPortal(t, town)
	file := filepath.Join(town, pipeline.ConfigName)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append([]byte("pgwire:\n  listen: 127.0.0.1:0\n  plain_loopback: true\n"), text...), 0o644); err != nil {
		t.Fatal(err)
	}
}

// doorOf waits until the door is open for the nth time; it returns its address
// and the number of its process.
func doorOf(t *testing.T, town string, nth int) (address string, pid int) {
	t.Helper()
	said := regexp.MustCompile(`"msg":"the PostgreSQL door is open","listen":"([^"]+)","pid":(\d+)`)
	file := filepath.Join(town, "data", "logs", "tongbao.log")
	for range 300 {
		log, _ := os.ReadFile(file)
		if found := said.FindAllSubmatch(log, -1); len(found) >= nth {
			last := found[len(found)-1]
			pid, _ := strconv.Atoi(string(last[2]))
			return string(last[1]), pid
		}
		time.Sleep(100 * time.Millisecond)
	}
	log, _ := os.ReadFile(file)
	t.Fatalf("the door does not open:\n%s", log)
	return "", 0
}

// askDoor asks one value of the door.
func askDoor(t *testing.T, address, account, query string) (string, error) {
	t.Helper()
	url := fmt.Sprintf("postgres://%s:%s@%s/town?sslmode=disable", account, strings.ReplaceAll(portalPassword, " ", "%20"), address)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.Background())
	var answer string
	err = conn.QueryRow(t.Context(), query).Scan(&answer)
	return answer, err
}

// TestDoor: the service opens the PostgreSQL door in a process of its own, each
// role sees through it what it may, a killed door is opened again, and no
// process is left when the service is gone, however it went.
func TestDoor(t *testing.T) {
	town := filepath.Join(t.TempDir(), "town")
	must(t, "init", town, "--demo", "--months", "2", "--grids", "16")
	must(t, "run", "-w", town, "--month", "2026-10")
	setPgwire(t, town)
	setJobs(t, town, "  - {name: yearly, schedule: \"0 0 1 1 *\", steps: [pull]}\n")
	for name, role := range map[string]string{"li": "statistician", "wang": "taskforce", "zhao": "operator"} {
		if code, _, stderr := account(t, town, portalPassword+"\n", "add", name, "--role", role); code != exitDone {
			t.Fatal(stderr)
		}
	}
	keepPasswords(t, town, "li", "wang", "zhao")
	service := startService(t, town)
	address, pid := doorOf(t, town, 1)

	const tables = "select string_agg(table_name, ' ' order by table_name) from information_schema.tables where table_schema = 'bulletin'"
	for account, sees := range map[string]map[string]bool{
		"li":   {"community": true, "long": true, "lost_record": false, "staff": false},
		"wang": {"community": true, "lost_record": true, "staff": true},
	} {
		list, err := askDoor(t, address, account, tables)
		if err != nil {
			t.Fatal(err)
		}
		for table, want := range sees {
			if got := strings.Contains(" "+list+" ", " "+table+" "); got != want {
				t.Errorf("%s sees %s in the list: %v, want %v", account, table, got, want)
			}
			if _, err := askDoor(t, address, account, "select count(*)::varchar from "+table); (err == nil) != want {
				t.Errorf("%s asks %s: %v", account, table, err)
			}
		}
	}
	if _, err := askDoor(t, address, "zhao", "select '1'"); err == nil || !strings.Contains(err.Error(), "role operator") {
		t.Errorf("an operator: %v", err)
	}

	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	address, pid = doorOf(t, town, 2)
	if answer, err := askDoor(t, address, "li", "select max(name) from bulletin.community"); err != nil || answer == "" {
		t.Errorf("after the door was killed: %q, %v", answer, err)
	}
	stopService(t, service)
	isGone(t, pid)

	service = startService(t, town)
	_, pid = doorOf(t, town, 3)
	if err := service.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = service.Wait() // killed
	isGone(t, pid)
	wasAudited(t, town)
}

// keepPasswords ends the demand for another password, as their owners would.
func keepPasswords(t *testing.T, town string, names ...string) {
	t.Helper()
	reg, err := register.Open(t.Context(), filepath.Join(town, "data", "register.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer reg.Close()
	for _, name := range names {
		by := register.By{Account: name, From: "command line", At: time.Now()}
		if err := reg.SetPassword(t.Context(), by, name, portalPassword, false); err != nil {
			t.Fatal(err)
		}
	}
}

func isGone(t *testing.T, pid int) {
	t.Helper()
	for range 100 {
		if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err != nil || bytes.Contains(status, []byte(") Z ")) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("the door's process %d is still there", pid)
}

// wasAudited looks for what was asked through the door in the audit log.
func wasAudited(t *testing.T, town string) {
	t.Helper()
	reg, err := register.Open(t.Context(), filepath.Join(town, "data", "register.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer reg.Close()
	var log bytes.Buffer
	if err := reg.ExportAudit(t.Context(), register.AuditFilter{}, &log); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"select max(name) from bulletin.community", `"postgres"`, `"page_refused"`, `"sign_out"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the audit log lacks %q", want)
		}
	}
}
