package etl

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// authority signs certificates of the tests' servers.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string // its own certificate, for ca_file
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key, file: filepath.Join(t.TempDir(), "ca.pem"), certificate: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	content, err := x509.CreateCertificate(rand.Reader, a.certificate, a.certificate, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, a.file, "CERTIFICATE", content)
	if a.certificate, err = x509.ParseCertificate(content); err != nil {
		t.Fatal(err)
	}
	return a
}

// issue writes a certificate for a name or address, valid until then, and its
// key into dir; the servers' account owns the key.
func (a *authority) issue(t *testing.T, dir, name string, until time.Time) (certificate, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	wanted := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if ip := net.ParseIP(name); ip != nil {
		wanted.IPAddresses = []net.IP{ip}
	} else {
		wanted.DNSNames = []string{name}
	}
	content, err := x509.CreateCertificate(rand.Reader, wanted, a.certificate, secret.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")
	writePEM(t, certificate, "CERTIFICATE", content)
	writePEM(t, key, "PRIVATE KEY", bytes)
	if account, err := user.Lookup("nobody"); err == nil && os.Getuid() == 0 {
		uid, _ := strconv.Atoi(account.Uid)
		for _, path := range []string{dir, certificate, key} {
			if err := os.Chown(path, uid, -1); err != nil {
				t.Fatal(err)
			}
		}
	}
	return certificate, key
}

func writePEM(t *testing.T, path, kind string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestTrustPostgres holds that a certificate is checked when the address or
// the definition says so, and that the connection is then encrypted.
func TestTrustPostgres(t *testing.T) {
	town, stranger := newAuthority(t, "town"), newAuthority(t, "stranger")
	certificate, key := town.issue(t, serverFolder(t), "127.0.0.1", time.Now().Add(time.Hour))
	address := startPostgres(t, "-c", "ssl=on", "-c", "ssl_cert_file="+certificate, "-c", "ssl_key_file="+key)
	plain := strings.TrimSuffix(address, "?sslmode=disable")
	connect := func(more string) string {
		return repairsFrom(`  {kind: postgres, url_env: TONGBAO_TEST_PG` + more + `,
    query: 'select 1 as id, ''一号楼'' as "所属网格", timestamp ''2024-10-01'' as reported, (select ssl::text from pg_stat_ssl where pid = pg_backend_pid()) as state'}`)
	}
	const state = "select state from core.repair"
	for _, c := range []struct {
		name, address, more string
		state               string   // of the row that came, or
		refused             []string // why none came
	}{
		{"in clear", plain + "?sslmode=disable", "", "false", nil},
		{"the address names the authority", plain + "?sslmode=verify-full&sslrootcert=" + town.file, "", "true", nil},
		{"the definition does", plain, ", ca_file: " + town.file, "true", nil},
		{"the definition wins", plain + "?sslmode=disable", ", ca_file: " + town.file, "true", nil},
		{"another authority in the address", plain + "?sslmode=verify-full&sslrootcert=" + stranger.file, "", "", []string{"not trusted", "unknown authority", "ca_file"}},
		{"another authority", plain, ", ca_file: " + stranger.file, "", []string{"not trusted", "unknown authority", "ca_file", "repairs_db (postgres at 127.0.0.1"}},
		{"another name", strings.Replace(plain, "127.0.0.1", "localhost", 1), ", ca_file: " + town.file, "", []string{"not trusted", "localhost", "write the name that the certificate has"}},
		{"no such file", plain, ", ca_file: /nowhere.pem", "", []string{"connect.ca_file", "nowhere.pem"}},
		{"no certificate", plain, ", ca_file: " + key, "", []string{"holds no certificate in PEM"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("TONGBAO_TEST_PG", c.address)
			w := newServed(t, connect(c.more))
			_, err := w.tryPull()
			if c.refused != nil {
				wantError(t, err, c.refused...)
			} else if err != nil {
				t.Fatal(err)
			}
			if got := ask(t, w.db, state); got != c.state {
				t.Errorf("got %q, want encrypted: %q", got, c.state)
			}
		})
	}
	t.Run("no way around", func(t *testing.T) {
		unsafe := startPostgres(t)
		t.Setenv("TONGBAO_TEST_PG", strings.TrimSuffix(unsafe, "?sslmode=disable")+"?sslmode=prefer")
		_, err := newServed(t, connect(", ca_file: "+town.file)).tryPull()
		wantError(t, err, "TLS")
	})
}

func TestTrustMariaDB(t *testing.T) {
	town, stranger := newAuthority(t, "town"), newAuthority(t, "stranger")
	certificate, key := town.issue(t, serverFolder(t), "127.0.0.1", time.Now().Add(time.Hour))
	address := startMariaDB(t, "--ssl-cert="+certificate, "--ssl-key="+key)
	connect := func(more string) string {
		return repairsFrom(`  {kind: mysql, url_env: TONGBAO_TEST_MY` + more + `,
    query: "select 1 as id, '一号楼' as 所属网格, timestamp '2024-10-01 08:00:00' as reported, (select if(variable_value = '', 'false', 'true') from information_schema.session_status where variable_name = 'Ssl_cipher') as state"}`)
	}
	for _, c := range []struct {
		name, address, more string
		state               string
		refused             []string
	}{
		{"in clear", address, "", "false", nil},
		{"the town's authority", address, ", ca_file: " + town.file, "true", nil},
		{"the system's authorities", address + "?tls=true", "", "", []string{"not trusted", "unknown authority", "ca_file"}},
		{"another authority", address, ", ca_file: " + stranger.file, "", []string{"not trusted", "unknown authority", "ca_file", "repairs_db (mysql at 127.0.0.1"}},
		{"another name", strings.Replace(address, "127.0.0.1", "localhost", 1), ", ca_file: " + town.file, "", []string{"not trusted", "localhost"}},
		{"a misspelt parameter", address + "?ssl=true", "", "", []string{"only the parameter tls", "mysql://"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("TONGBAO_TEST_MY", c.address)
			w := newServed(t, connect(c.more))
			_, err := w.tryPull()
			if c.refused != nil {
				wantError(t, err, c.refused...)
			} else if err != nil {
				t.Fatal(err)
			}
			if got := ask(t, w.db, "select state from core.repair"); got != c.state {
				t.Errorf("got %q, want encrypted: %q", got, c.state)
			}
		})
	}
}

// TestTrustHTTP counts the connections: a certificate that is not trusted is
// no reason to try again.
func TestTrustHTTP(t *testing.T) {
	t.Setenv("TONGBAO_TEST_TOKEN", "s3cret")
	town, stranger := newAuthority(t, "town"), newAuthority(t, "stranger")
	for _, c := range []struct {
		name, host string
		until      time.Duration
		trusted    *authority
		refused    []string
	}{
		{"trusted", "127.0.0.1", time.Hour, town, nil},
		{"the system's authorities", "127.0.0.1", time.Hour, nil, []string{"not trusted", "unknown authority", "ca_file"}},
		{"another authority", "127.0.0.1", time.Hour, stranger, []string{"not trusted", "unknown authority", "repairs_db (http at 127.0.0.1"}},
		{"another name", "tickets.example.org", time.Hour, town, []string{"not trusted", "write the name that the certificate has"}},
		{"expired", "127.0.0.1", -time.Hour, town, []string{"not trusted", "expired", "clock"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			certificate, key := town.issue(t, t.TempDir(), c.host, time.Now().Add(c.until))
			pair, err := tls.LoadX509KeyPair(certificate, key)
			if err != nil {
				t.Fatal(err)
			}
			p := &platform{size: 10}
			for i := range 12 {
				p.rows = append(p.rows, row(i+1))
			}
			var tries atomic.Int64
			p.Server = httptest.NewUnstartedServer(http.HandlerFunc(p.serve))
			p.Config.ErrorLog = log.New(io.Discard, "", 0) // of broken handshakes
			p.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { tries.Add(1); return nil, nil }}
			p.StartTLS()
			defer p.Close()
			more := byLink
			if c.trusted != nil {
				more += ", ca_file: " + c.trusted.file
			}
			w := newServed(t, listFrom(p, more))
			_, err = w.tryPull()
			if c.refused == nil {
				if got := countRepairs(t, w); err != nil || got != "12 12" {
					t.Errorf("got %s rows, %v; want 12", got, err)
				}
				return
			}
			wantError(t, err, c.refused...)
			if len(p.asked) > 0 || tries.Load() != 1 {
				t.Errorf("asked %q in %d connections, want one connection and no request", p.asked, tries.Load())
			}
		})
	}
	_, err := ParseDefinition("x.yaml", []byte(repairsFrom("  {kind: http, url: 'http://tickets.example.org/list', ca_file: ca.pem}")))
	if err == nil || !strings.Contains(err.Error(), "only https://") {
		t.Errorf("ca_file without https: got %v", err)
	}
}
