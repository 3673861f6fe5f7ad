package etl

import (
	"context"
	"errors"
	"net"
	"net/url"
	"time"
)

// reachWithin is how long a server may take to accept a connection.
const reachWithin = 5 * time.Second

// Reach asks whether the server of a definition accepts a connection; nobody
// logs in and nothing is read. It returns the server's host and port, "" for
// a source of files.
func (d *Definition) Reach(ctx context.Context) (server string, err error) {
	if d.Connect == nil {
		return "", nil
	}
	address := d.Connect.URL
	if address == "" {
		if address, err = (Intake{}).secret(d.Connect.URLEnv, d.Connect.URLFile); err != nil {
			return "", err
		}
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.Hostname() == "" {
		return "", errors.New("its address names no host; want scheme://host:port/…") // never quoted: it may hold a password
	}
	port := parsed.Port()
	if port == "" {
		port = map[string]string{"postgres": "5432", "postgresql": "5432", "mysql": "3306", "http": "80", "https": "443"}[parsed.Scheme]
	}
	server = net.JoinHostPort(parsed.Hostname(), port)
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", server)
	if err != nil {
		return server, err
	}
	return server, conn.Close()
}
