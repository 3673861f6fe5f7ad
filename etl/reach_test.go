package etl

import (
	"net"
	"strings"
	"testing"
)

func TestReach(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := listener.Addr().String()
	t.Setenv("TEST_DATABASE", "postgres://account:hidden@"+host+"/town")
	d := Definition{Connect: &Connect{Kind: "postgres", URLEnv: "TEST_DATABASE"}}
	if server, err := d.Reach(t.Context()); err != nil || server != host {
		t.Errorf("got %q, %v; want %s", server, err, host)
	}
	listener.Close()
	if _, err := d.Reach(t.Context()); err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("a server that is down: got %v", err)
	}
	t.Setenv("TEST_DATABASE", "account:hidden@nowhere")
	if _, err := d.Reach(t.Context()); err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("an address without a host: got %v", err)
	}
	if server, err := (&Definition{}).Reach(t.Context()); err != nil || server != "" {
		t.Errorf("files: got %q, %v", server, err)
	}
}
