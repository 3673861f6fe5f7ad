package pipeline

import (
	"errors"
	"net"
	"runtime"
)

// PgwireConfig is the key pgwire of tongbao.yaml; without the key there is no
// PostgreSQL door.
type PgwireConfig struct {
	Listen        string `yaml:"listen,omitempty" doc:"address of the PostgreSQL door; 127.0.0.1:5433 if absent. In force, like all of pgwire, from the next start"`
	Certificate   string `yaml:"certificate,omitempty" doc:"file of the TLS certificate with its chain; a renewed one needs no new start"`
	Key           string `yaml:"key,omitempty" doc:"file of its private key"`
	PlainLoopback bool   `yaml:"plain_loopback,omitempty" doc:"true: clients of this same machine may come without TLS; everybody else needs it"`
}

func (p *PgwireConfig) check() error {
	if p == nil {
		return nil
	}
	if runtime.GOOS != "linux" {
		return errors.New("the PostgreSQL door works on Linux only; take the key out")
	}
	isLoopback := true
	if p.Listen != "" {
		host, port, err := net.SplitHostPort(p.Listen)
		if err != nil || port == "" {
			return keyf("listen", "%q: want host:port such as 127.0.0.1:5433", p.Listen)
		}
		isLoopback = host == "localhost" || net.ParseIP(host).IsLoopback()
	}
	switch {
	case (p.Certificate == "") != (p.Key == ""):
		return keyf("certificate", "it and key go together: give both files, or none")
	case p.Certificate == "" && !p.PlainLoopback:
		return keyf("certificate", "give it and key: passwords do not travel in the clear. For clients of this machine alone, plain_loopback: true does without")
	case p.Certificate == "" && !isLoopback:
		return keyf("listen", "%q: other machines need TLS; give certificate and key", p.Listen)
	}
	return nil
}
