package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"

	"tongbao/register"
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
	On   []string `yaml:"on,omitempty" doc:"what is told: failed, late, quarantine, published; all if absent"`

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
var noticeEvents = []string{"failed", "late", "quarantine", "published"}

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
		return fmt.Errorf("notify: language: %q: want zh-Hans, zh-Hant or en", n.Language)
	}
	if n.Quarantine < 0 || n.Quarantine > 100 {
		return fmt.Errorf("notify: quarantine_percent: %d: want 1 to 100", n.Quarantine)
	}
	seen := map[string]bool{}
	for i := range n.Channels {
		channel := &n.Channels[i]
		if err := channel.check(); err != nil {
			return fmt.Errorf("notify: channels[%d] (%s): %w", i, channel.Name, err)
		}
		if seen[channel.Name] {
			return fmt.Errorf("notify: channels[%d]: name %s is taken by a channel above", i, channel.Name)
		}
		seen[channel.Name] = true
	}
	return nil
}

func (c *Channel) check() error {
	isWhole, isKind := channelKinds[c.Kind]
	switch {
	case !jobName.MatchString(c.Name):
		return fmt.Errorf("name: %q: want at most 40 small letters, digits, - and _", c.Name)
	case !isKind:
		return fmt.Errorf("kind: %q: want webhook, dingtalk, wecom, feishu, smtp or file", c.Kind)
	case !isWhole(*c):
		return fmt.Errorf("kind %s: want url_env for a web address, server, from and to for smtp, folder for file", c.Kind)
	}
	for key, name := range map[string]string{"url_env": c.URLEnv, "secret_env": c.SecretEnv, "user_env": c.UserEnv, "password_env": c.PasswordEnv} {
		if name != "" && !variableName.MatchString(name) {
			return fmt.Errorf("%s: want the name of an environment variable, never the secret itself", key)
		}
	}
	setDefault(&c.TLS, "starttls")
	if !slices.Contains([]string{"starttls", "implicit", "none"}, c.TLS) {
		return fmt.Errorf("tls: %q: want starttls, implicit or none", c.TLS)
	}
	if len(c.On) == 0 {
		c.On = noticeEvents
	}
	for _, event := range c.On {
		if !slices.Contains(noticeEvents, event) {
			return fmt.Errorf("on: %q: want some of %s", event, strings.Join(noticeEvents, ", "))
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

//go:embed notices/*.tmpl
var noticeFiles embed.FS

// noticeFacts are all that a message may be made of: names from the
// configuration, counts, months. The words of an error stay out, because a
// value or a file's name in them may be about a person.
type noticeFacts struct {
	Town, Job, Month, State, Step, Source, Due, Level string
	Run                                               int64
	Again                                             bool
	Version                                           int
	RowsIn, Quarantined                               int64
	Percent, Bound                                    int64
}

// queueNotices puts what a run that is over has to tell on the register.
func (h *House) queueNotices(ctx context.Context, run register.Run, again bool) error {
	if len(h.Config.Notify.Channels) == 0 {
		return nil
	}
	words, err := template.ParseFS(noticeFiles, "notices/"+h.Config.Notify.Language+".tmpl")
	if err != nil {
		return fmt.Errorf("notices: %w", err)
	}
	for _, told := range h.tellings(run, again) {
		var title, text bytes.Buffer
		if err := words.ExecuteTemplate(&title, told.event+".title", told.facts); err != nil {
			return fmt.Errorf("notices: %w", err)
		}
		if err := words.ExecuteTemplate(&text, told.event+".text", told.facts); err != nil {
			return fmt.Errorf("notices: %w", err)
		}
		for _, channel := range h.Config.Notify.Channels {
			if !slices.Contains(channel.On, told.event) {
				continue
			}
			_, err := h.register.AddNotice(ctx, register.Notice{
				Channel: channel.Name, Key: told.key, Event: told.event, Title: title.String(), Text: text.String(),
				Run: run.ID, CreatedAt: h.Now(),
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

type telling struct {
	event, key string
	facts      noticeFacts
}

// tellings decides what a run tells. The key says what counts as the same
// news: the same failure of a job once a day, a late source once a month and
// level, a version once.
func (h *House) tellings(run register.Run, again bool) []telling {
	if isAct(run) {
		return nil
	}
	job := run.Job
	if job == "" {
		job = string(run.Trigger)
	}
	facts := noticeFacts{Town: h.Config.Town, Job: job, Month: run.Period.String(), State: string(run.State), Run: run.ID, Again: again, Version: run.Version}
	var told []telling
	if run.State == register.Failed || run.State == register.Interrupted {
		facts := facts
		for _, step := range run.Steps {
			facts.Step = step.Step
		}
		sum := sha256.Sum256([]byte(run.Error))
		told = append(told, telling{"failed", fmt.Sprintf("failed/%s/%s/%x/%s", job, facts.Month, sum[:6], run.Ended.Format(time.DateOnly)), facts})
	}
	for _, late := range run.Late {
		facts := facts
		facts.Source, facts.Level, facts.Due = late.Name, late.Level, late.DueAt.Format("2006-01-02 15:04")
		told = append(told, telling{"late", fmt.Sprintf("late/%s/%s/%s", late.Source, facts.Month, late.Level), facts})
	}
	bound := int64(h.Config.Notify.Quarantine)
	if in, bad := run.Rows.In, run.Rows.Quarantined; in > 0 && bad*100 > bound*in {
		facts := facts
		facts.RowsIn, facts.Quarantined, facts.Percent, facts.Bound = in, bad, bad*100/in, bound
		told = append(told, telling{"quarantine", fmt.Sprintf("quarantine/%d", run.ID), facts})
	}
	if run.Version > 0 {
		told = append(told, telling{"published", fmt.Sprintf("published/%s/v%d", facts.Month, run.Version), facts})
	}
	return told
}
