package pipeline

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"

	"tongbao/register"
)

// PortalConfig is the key portal of tongbao.yaml; without the key there is no
// portal.
type PortalConfig struct {
	Listen         string   `yaml:"listen,omitempty" doc:"address of the portal; 127.0.0.1:8311 if absent. In force, like all of portal, from the next start"`
	URL            string   `yaml:"url,omitempty" doc:"the portal's address as readers type it, as https://tongbao.example; for links, and for forms behind a proxy that changes the host"`
	Certificate    string   `yaml:"certificate,omitempty" doc:"file of the TLS certificate with its chain; a renewed one needs no new start"`
	Key            string   `yaml:"key,omitempty" doc:"file of its private key"`
	TrustedProxies []string `yaml:"trusted_proxies,omitempty" doc:"addresses or networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; nobody's if absent"`

	OIDC *OIDCConfig `yaml:"oidc,omitempty" doc:"an identity provider of the town, beside passwords; accounts and roles stay here"`
}

// OIDCConfig is the key oidc of portal.
type OIDCConfig struct {
	Name      string `yaml:"name" doc:"what the sign-in page calls it"`
	Issuer    string `yaml:"issuer" doc:"its address, under which /.well-known/openid-configuration lies"`
	ClientID  string `yaml:"client_id" doc:"what it knows the portal as; it must send readers back to <url>/oidc/done"`
	SecretEnv string `yaml:"secret_env" doc:"environment variable with the client's secret"`
}

func (o *OIDCConfig) check(url string) error {
	switch {
	case o == nil:
		return nil
	case url == "":
		return keyf("oidc", "wants url, the portal's address as readers type it")
	case o.Name == "" || o.Issuer == "" || o.ClientID == "" || o.SecretEnv == "":
		return keyf("oidc", "name, issuer, client_id and secret_env are all wanted")
	case !strings.HasPrefix(o.Issuer, "https://") && !strings.HasPrefix(o.Issuer, "http://127.0.0.1"):
		return under("oidc", "", keyf("issuer", "%q: want https", o.Issuer))
	}
	return nil
}

func (p *PortalConfig) check() error {
	if p == nil {
		return nil
	}
	if p.Listen != "" {
		if _, port, err := net.SplitHostPort(p.Listen); err != nil || port == "" {
			return keyf("listen", "%q: want host:port such as 127.0.0.1:8311", p.Listen)
		}
	}
	if (p.Certificate == "") != (p.Key == "") {
		return keyf("certificate", "it and key go together: give both files, or none")
	}
	if p.URL != "" {
		if parsed, err := url.Parse(p.URL); err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http" {
			return keyf("url", "%q: want an address such as https://tongbao.example", p.URL)
		}
	}
	if err := p.OIDC.check(p.URL); err != nil {
		return err
	}
	_, err := p.Proxies()
	return err
}

// Proxies are the networks of the trusted proxies.
func (p *PortalConfig) Proxies() ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range p.TrustedProxies {
		network, err := netip.ParsePrefix(text)
		if address, failed := netip.ParseAddr(text); failed == nil {
			network, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return nil, keyf("trusted_proxies", "%q: want an address or a network such as 10.0.0.0/8", text)
		}
		networks = append(networks, network)
	}
	return networks, nil
}

// InWorkspace is a file that the configuration names, relative to the
// workspace; "" stays "".
func (w Workspace) InWorkspace(file string) string {
	if file == "" || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(w.Dir, file)
}

// OpenRegister opens the register beside whoever works in the workspace.
func (w Workspace) OpenRegister(ctx context.Context) (*register.Register, error) {
	return register.Open(ctx, w.path("register.db"))
}

// PublishedDir is the folder of all that was published.
func (w Workspace) PublishedDir() string { return w.path("published") }

// Follow shows what a run says until it is over or the context ends; at once
// for a run that is over, or that another process does.
func (s *Service) Follow(ctx context.Context, id int64, show func(Event) error) error {
	feed := s.feed(id)
	if feed == nil {
		run, err := s.house.register.Run(ctx, id)
		if err != nil {
			return err
		}
		return show(Event{Outcome: &Outcome{Run: run}})
	}
	return feed.follow(ctx, show)
}

// Retry queues an earlier run once more and returns the new run's number.
func (s *Service) Retry(ctx context.Context, id int64) (int64, error) {
	run, err := s.house.register.Run(ctx, id)
	if errors.Is(err, register.ErrNoRun) {
		return 0, &Problem{err}
	}
	if err != nil {
		return 0, err
	}
	request, err := Again(run)
	if err != nil {
		return 0, err
	}
	again, _, err := s.Ask(ctx, request)
	return again, err
}
