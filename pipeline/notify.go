package pipeline

import (
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
)

// NotifyConfig is the key notify of tongbao.yaml.
type NotifyConfig struct {
	Language   string    `yaml:"language,omitempty" doc:"zh-Hans (if absent), zh-Hant or en"`
	Quarantine int       `yaml:"quarantine_percent,omitempty" doc:"a run that sends a greater share of its rows to quarantine is told; 5 if absent"`
	Channels   []Channel `yaml:"channels,omitempty" doc:"ways to tell people"`
}

// Channel is one way to tell people. Addresses with a secret in them and
// passwords are never written here: they come from the environment.
type Channel struct {
	Name string   `yaml:"name" doc:"name of the channel, in small letters, digits, - and _"`
	Kind string   `yaml:"kind" doc:"webhook (JSON), dingtalk, wecom, feishu, smtp or file"`
	On   []string `yaml:"on,omitempty" doc:"what is told: failed, late, missed, quarantine, published, refused; all if absent"`

	URLEnv    string `yaml:"url_env,omitempty" doc:"webhook, dingtalk, wecom, feishu: environment variable with the address"`
	SecretEnv string `yaml:"secret_env,omitempty" doc:"dingtalk, feishu: environment variable with the secret that messages are signed with; webhook: the one of the header X-Tongbao-Signature (HMAC-SHA256 of the body)"`

	Server      string   `yaml:"server,omitempty" doc:"smtp: host:port of the mail server"`
	TLS         string   `yaml:"tls,omitempty" doc:"smtp: starttls (if absent), implicit (port 465) or none (no password is sent then)"`
	From        string   `yaml:"from,omitempty" doc:"smtp: address of the sender"`
	To          []string `yaml:"to,omitempty" doc:"smtp: addresses of the receivers"`
	UserEnv     string   `yaml:"user_env,omitempty" doc:"smtp: environment variable with the account; no login if absent"`
	PasswordEnv string   `yaml:"password_env,omitempty" doc:"smtp: environment variable with the password"`

	Folder string `yaml:"folder,omitempty" doc:"file: folder that gets one JSON file a notice, from the workspace's folder"`
}

// Events that may be told.
var noticeEvents = []string{"failed", "late", "missed", "quarantine", "published", "refused"}

// channelKinds are the kinds with the keys that each needs.
var channelKinds = map[string]func(Channel) bool{
	"webhook":  func(c Channel) bool { return c.URLEnv != "" },
	"dingtalk": func(c Channel) bool { return c.URLEnv != "" },
	"wecom":    func(c Channel) bool { return c.URLEnv != "" },
	"feishu":   func(c Channel) bool { return c.URLEnv != "" },
	"smtp":     func(c Channel) bool { return c.Server != "" && c.From != "" && len(c.To) > 0 },
	"file":     func(c Channel) bool { return c.Folder != "" },
}

const defaultQuarantinePercent = 5

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (n *NotifyConfig) check() error {
	setDefault(&n.Language, "zh-Hans")
	setDefault(&n.Quarantine, defaultQuarantinePercent)
	if !slices.Contains([]string{"zh-Hans", "zh-Hant", "en"}, n.Language) {
		return keyf("language", "%q: want zh-Hans, zh-Hant or en", n.Language)
	}
	if n.Quarantine < 0 || n.Quarantine > 100 {
		return keyf("quarantine_percent", "%d: want 1 to 100", n.Quarantine)
	}
	seen := map[string]bool{}
	for i := range n.Channels {
		channel := &n.Channels[i]
		if err := channel.check(); err != nil {
			return under(fmt.Sprintf("channels[%d]", i), channel.Name, err)
		}
		if seen[channel.Name] {
			return under(fmt.Sprintf("channels[%d]", i), channel.Name, keyf("name", "is taken by a channel above"))
		}
		seen[channel.Name] = true
	}
	return nil
}

func (c *Channel) check() error {
	isWhole, isKind := channelKinds[c.Kind]
	switch {
	case !jobName.MatchString(c.Name):
		return keyf("name", "%q: want at most 40 small letters, digits, - and _", c.Name)
	case !isKind:
		return keyf("kind", "%q: want webhook, dingtalk, wecom, feishu, smtp or file", c.Kind)
	case !isWhole(*c):
		return keyf("kind", "%s: want url_env for a web address, server, from and to for smtp, folder for file", c.Kind)
	}
	for key, name := range map[string]string{"url_env": c.URLEnv, "secret_env": c.SecretEnv, "user_env": c.UserEnv, "password_env": c.PasswordEnv} {
		if name != "" && !variableName.MatchString(name) {
			return keyf(key, "want the name of an environment variable, never the secret itself")
		}
	}
	setDefault(&c.TLS, "starttls")
	if !slices.Contains([]string{"starttls", "implicit", "none"}, c.TLS) {
		return keyf("tls", "%q: want starttls, implicit or none", c.TLS)
	}
	if len(c.On) == 0 {
		c.On = noticeEvents
	}
	for _, event := range c.On {
		if !slices.Contains(noticeEvents, event) {
			return keyf("on", "%q: want some of %s", event, strings.Join(noticeEvents, ", "))
		}
	}
	return nil
}

// secrets are the values that must never be seen in a log.
func (n NotifyConfig) secrets() []string {
	var found []string
	for _, c := range n.Channels {
		for _, name := range []string{c.URLEnv, c.SecretEnv, c.PasswordEnv} {
			value := os.Getenv(name)
			if name == "" || value == "" {
				continue
			}
			found = append(found, value)
			// The secret of an address also shows without its host.
			if address, err := url.Parse(value); err == nil && address.RawQuery != "" {
				found = append(found, address.RawQuery)
			}
		}
	}
	return found
}
