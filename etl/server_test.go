package etl

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
)

// The servers of the tests are real ones from Debian, started in a temporary
// folder on a free port of loopback as an account without rights, and stopped
// when the test ends. Safety against power cuts is off: it only costs time.

// freePort asks the system for one.
func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// unprivileged makes a command run as nobody if we are root; the servers
// refuse root.
func unprivileged(t testing.TB, command *exec.Cmd, dir string) {
	t.Helper()
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	command.Dir = dir
	if os.Getuid() != 0 {
		return
	}
	account, err := user.Lookup("nobody")
	if err != nil {
		t.Fatalf("no account to run a database as, which refuses root: %v", err)
	}
	uid, _ := strconv.Atoi(account.Uid)
	gid, _ := strconv.Atoi(account.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	command.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func serverFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tongbao-db-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func runAs(t testing.TB, dir, program string, args ...string) {
	t.Helper()
	command := exec.Command(program, args...)
	unprivileged(t, command, dir)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, output)
	}
}

// startServer runs a server until the test ends.
func startServer(t testing.TB, dir, program string, stop os.Signal, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, args...)
	unprivileged(t, command, dir)
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Signal(stop)
		command.Wait()
		log.Close()
	})
}

func awaitServer(t testing.TB, dir string, ping func() error) {
	t.Helper()
	var err error
	for range 200 {
		if err = ping(); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(dir, "server.log"))
	t.Fatalf("the server does not answer: %v\n%s", err, log)
}

// startPostgres returns the address of an empty database; more are options of
// the server.
func startPostgres(t testing.TB, more ...string) string {
	t.Helper()
	programs, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(programs) == 0 {
		t.Fatal("no database server; make setup installs Debian's postgresql")
	}
	bin, dir, port := filepath.Dir(programs[len(programs)-1]), serverFolder(t), freePort(t)
	folder := filepath.Join(dir, "data")
	runAs(t, dir, filepath.Join(bin, "initdb"), "-D", folder, "-U", "town", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	startServer(t, dir, filepath.Join(bin, "postgres"), syscall.SIGQUIT, append([]string{"-D", folder, "-p", strconv.Itoa(port),
		"-h", "127.0.0.1", "-k", "", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off", "-c", "max_wal_size=4GB"}, more...)...)
	address := fmt.Sprintf("postgres://town:geheim@127.0.0.1:%d/postgres?sslmode=disable", port)
	awaitServer(t, dir, func() error {
		conn, err := pgx.Connect(context.Background(), address)
		if err == nil {
			conn.Close(context.Background())
		}
		return err
	})
	return address
}

// startMariaDB returns the address of an empty database; more are options of
// the server.
func startMariaDB(t testing.TB, more ...string) string {
	t.Helper()
	server, err := exec.LookPath("mariadbd")
	if err != nil {
		server = "/usr/sbin/mariadbd"
	}
	install, err := exec.LookPath("mariadb-install-db")
	if _, missing := os.Stat(server); err != nil || missing != nil {
		t.Fatal("no database server; make setup installs Debian's mariadb-server")
	}
	dir, port := serverFolder(t), freePort(t)
	folder := filepath.Join(dir, "data")
	runAs(t, dir, install, "--no-defaults", "--datadir="+folder, "--auth-root-authentication-method=normal", "--skip-test-db",
		"--innodb-flush-method=nosync", "--innodb-log-file-size=16M", "--skip-name-resolve")
	startServer(t, dir, server, syscall.SIGKILL, append([]string{"--no-defaults", "--datadir=" + folder, "--port=" + strconv.Itoa(port), "--bind-address=127.0.0.1",
		"--socket=" + filepath.Join(dir, "s"), "--pid-file=" + filepath.Join(dir, "pid"), "--innodb-flush-method=nosync",
		"--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--skip-name-resolve", "--innodb-buffer-pool-size=64M", "--sql-mode="}, more...)...)
	config := mysql.NewConfig()
	config.User, config.Net, config.Addr = "root", "tcp", fmt.Sprintf("127.0.0.1:%d", port)
	db, err := sql.Open("mysql", config.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	config.Logger = &mysql.NopLogger{}
	awaitServer(t, dir, db.Ping)
	for _, statement := range []string{"create database town character set utf8mb4", "create user town@'127.0.0.1' identified by 'geheim'", "grant all on town.* to town@'127.0.0.1'"} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("mysql://town:geheim@127.0.0.1:%d/town", port)
}

func execPostgres(t testing.TB, address string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, statement := range statements {
		if _, err := conn.Exec(context.Background(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func execMariaDB(t testing.TB, address string, statements ...string) {
	t.Helper()
	config, err := parseMySQL(address)
	if err != nil {
		t.Fatal(err)
	}
	config.Params = map[string]string{"charset": "utf8mb4"}
	db, err := sql.Open("mysql", config.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%.200s: %v", statement, err)
		}
	}
}

// cutter is a proxy on loopback that cuts every connection after so many bytes
// from the server; 0 lets all pass, and -1 lets the line go dead.
type cutter struct {
	address string
	budget  atomic.Int64
	cuts    atomic.Int64
}

func startCutter(t testing.TB, target string) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{address: listener.Addr().String()}
	var open sync.Map
	t.Cleanup(func() {
		listener.Close()
		open.Range(func(conn, _ any) bool { conn.(net.Conn).Close(); return true })
	})
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				client.Close()
				continue
			}
			open.Store(client, nil)
			open.Store(server, nil)
			go func() { io.Copy(server, client); server.Close() }()
			go c.pass(client, server)
		}
	}()
	return c
}

func (c *cutter) pass(client, server net.Conn) {
	defer client.Close()
	defer server.Close()
	budget := c.budget.Load()
	if budget <= 0 {
		if budget == 0 {
			io.Copy(client, server)
		} else {
			io.Copy(io.Discard, server)
		}
		return
	}
	if n, _ := io.CopyN(client, server, budget); n == budget {
		c.cuts.Add(1)
		// A reset, not an orderly end: that is what a broken line looks like.
		client.(*net.TCPConn).SetLinger(0)
	}
}

// through returns an address that leads through the cutter.
func (c *cutter) through(t testing.TB, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(address, parsed.Host, c.address, 1)
}
