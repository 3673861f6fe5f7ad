package pgwire

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tongbao/register"
	"tongbao/warehouse"
)

// TestMain lets the test binary be the process that answers questions.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == warehouse.AskCommand {
		if err := warehouse.Answer(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const goodPassword = "correct horse battery staple"

// door is a running server over a small published file.
type door struct {
	server      *Server
	register    *register.Register
	host, port  string
	certificate string // file
}

// openDoor starts a server; change may alter its options first.
func openDoor(t testing.TB, change func(*Options)) *door {
	t.Helper()
	ctx, dir := t.Context(), t.TempDir()
	reg, err := register.Open(ctx, filepath.Join(dir, "register.db"))
	if err != nil {
		t.Fatal(err)
	}
	by := register.By{Account: "root", From: "command line", At: time.Now()}
	for name, role := range map[string]register.Role{"li": register.RoleStatistician, "wang": register.RoleTaskforce, "zhao": register.RoleOperator} {
		if err := reg.AddAccount(ctx, by, register.Account{Name: name, Role: role}, goodPassword); err != nil {
			t.Fatal(err)
		}
	}
	published := publishTest(t, dir)
	certificate, key := certify(t, dir)
	opt := Options{
		Certificate: certificate, Key: key, Register: reg, Desk: warehouse.NewDesk(nil),
		Published: func(_ context.Context, by register.Audience) (warehouse.Published, error) { return published[by], nil },
		Log:       slog.New(slog.NewTextHandler(testWriter{t}, nil)),
	}
	if change != nil {
		change(&opt)
	}
	server, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	done := make(chan error, 1)
	serving, stop := context.WithCancel(context.Background())
	go func() { done <- server.Serve(serving, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		reg.Close()
	})
	return &door{server, reg, host, port, certificate}
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// publishTest makes the two files of a published month with every type, and
// lists them for two audiences: statisticians have neither the column secret nor
// the table staff.
func publishTest(t testing.TB, dir string) map[register.Audience]warehouse.Published {
	t.Helper()
	community := `select %s from (values
		(date '2026-10-01', '东湖社区', 98.12::decimal(7,2), 1::integer, true, timestamptz '2026-10-08 09:30:00.5+08', timestamp '2026-10-08 09:30:00', 12345678901::bigint, 0.1::double, 170141183460469231731687303715884105727::hugeint, 'x'),
		(date '2026-10-01', null, null, null, null, null, null, null, null, null, null)
	) as t(month, name, score, place, is_first, signed_at, local_at, tickets, rate, huge, secret)`
	public := publishFile(t, filepath.Join(dir, "warehouse.duckdb"),
		warehouse.Copy{Table: "bulletin.community", Select: fmt.Sprintf(community, "* exclude (secret)")},
		warehouse.Copy{Table: "score.total", Select: "select range::integer as place, 'unit ' || range as unit from range(1, 2501)"})
	records := publishFile(t, filepath.Join(dir, "records.duckdb"),
		warehouse.Copy{Table: "bulletin.community", Select: fmt.Sprintf(community, "*")},
		warehouse.Copy{Table: "bulletin.staff", Select: "select '张三' as name"})
	total := public
	total.Relations = slices.DeleteFunc(slices.Clone(public.Relations), func(r warehouse.Relation) bool { return r.Name == "bulletin.community" })
	return map[register.Audience]warehouse.Published{
		register.Statisticians: {Sources: []warehouse.Source{public}},
		register.Taskforce:     {Sources: []warehouse.Source{records, total}},
	}
}

// publishFile makes a published file and lists its tables.
func publishFile(t testing.TB, path string, copies ...warehouse.Copy) warehouse.Source {
	t.Helper()
	ctx := context.Background()
	db, err := warehouse.Open(ctx, "", warehouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Snapshot(ctx, path, copies); err != nil {
		t.Fatal(err)
	}
	published, err := warehouse.Open(ctx, path, warehouse.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer published.Close()
	tables, err := published.Columns(ctx, "bulletin", "score")
	if err != nil {
		t.Fatal(err)
	}
	source := warehouse.Source{Path: path}
	for _, one := range copies {
		source.Relations = append(source.Relations, warehouse.Relation{Name: one.Table, Columns: tables[one.Table], Grain: "one row per " + one.Table})
	}
	return source
}

// certify makes a certificate for this machine.
func certify(t testing.TB, dir string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "town"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, "chain.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: signed}, key: {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

// url is the address for an account, with more parameters.
func (d *door) url(account, password, more string) string {
	return fmt.Sprintf("postgres://%s:%s@%s:%s/town?sslmode=verify-full&sslrootcert=%s%s",
		account, strings.ReplaceAll(password, " ", "%20"), d.host, d.port, d.certificate, more)
}

// connect signs an account in with the client that this test has in itself.
func (d *door) connect(t testing.TB, account string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.url(account, goodPassword, ""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// isHealthy fails if the door does not answer somebody new.
func (d *door) isHealthy(t testing.TB) {
	t.Helper()
	var place int
	conn := d.connect(t, "wang")
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), "select place from bulletin.community where place is not null").Scan(&place); err != nil || place != 1 {
		t.Fatalf("the door is not healthy: %v, %d", err, place)
	}
}
