package pipeline

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"

	"gopkg.in/natefinch/lumberjack.v2"
)

// LogConfig is the key log of tongbao.yaml.
type LogConfig struct {
	Level    string `yaml:"level,omitempty" doc:"debug, info (if absent), warn or error"`
	MaxMB    int    `yaml:"max_mb,omitempty" doc:"size at which the log is put aside, compressed, and begun again; 50 if absent"`
	KeepDays int    `yaml:"keep_days,omitempty" doc:"days that logs, run logs and the history are kept; at least 184, which the Cybersecurity Law (网络安全法) asks for and which holds if absent"`
}

// MinKeepDays is how long logs are kept at the least: six months, as article
// 23 of the Cybersecurity Law of 2016 (网络安全法) says.
const MinKeepDays = 184

const defaultLogMB = 50

func (l *LogConfig) check() error {
	setDefault(&l.Level, "info")
	setDefault(&l.MaxMB, defaultLogMB)
	setDefault(&l.KeepDays, MinKeepDays)
	if err := new(slog.Level).UnmarshalText([]byte(l.Level)); err != nil {
		return keyf("level", "%q: want debug, info, warn or error", l.Level)
	}
	if l.MaxMB < 1 || l.MaxMB > 1024 {
		return keyf("max_mb", "%d: want 1 to 1024", l.MaxMB)
	}
	if l.KeepDays < MinKeepDays {
		return keyf("keep_days", "%d: the law asks for six months, want at least %d", l.KeepDays, MinKeepDays)
	}
	return nil
}

func (w Workspace) logFile() string { return w.path("logs", "tongbao.log") }

// OpenLog makes the service's log: JSON lines in data/logs/tongbao.log, rotated
// by size and age, and the same as text on also. Secrets are starred in both.
// A log that cannot be written holds up nothing.
func (w Workspace) OpenLog(also io.Writer) (*slog.Logger, io.Closer) {
	level := slog.LevelInfo
	_ = level.UnmarshalText([]byte(w.Config.Log.Level)) // checked when it was read
	if err := os.MkdirAll(w.path("logs"), 0o700); err != nil {
		fmt.Fprintf(also, "the log cannot be kept: %v\n", err)
	}
	file := &lumberjack.Logger{Filename: w.logFile(), MaxSize: w.Config.Log.MaxMB, MaxAge: w.Config.Log.KeepDays, Compress: true}
	mask := masker(append(w.Config.Notify.secrets(), w.Config.Backup.secrets()...))
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: mask}
	return slog.New(slog.NewMultiHandler(slog.NewJSONHandler(file, options), slog.NewTextHandler(also, options))), file
}

func (b BackupConfig) secrets() []string {
	if passphrase := os.Getenv(PassphraseVariable); passphrase != "" {
		return []string{passphrase}
	}
	return nil
}

var (
	secretKey = regexp.MustCompile(`(?i)passw|secret|token|passphrase|api_?key|authorization`)
	// account:password@ of an address, and what follows a word that names a
	// secret, as in access_token=… or password: ….
	inAddress = regexp.MustCompile(`(://[^/\s:@]*:)[^@\s/]+@`)
	afterWord = regexp.MustCompile(`(?i)((?:password|passwd|secret|token|passphrase|api_?key|[?&]key|[?&]sign)["']?\s*[=:]\s*["']?)[^\s"'&,;]+`)
)

// masker stars secrets: values of attributes whose name says so, the given
// ones wherever they stand, and what looks like one.
func masker(secrets []string) func([]string, slog.Attr) slog.Attr {
	return func(_ []string, attr slog.Attr) slog.Attr {
		if secretKey.MatchString(attr.Key) {
			return slog.String(attr.Key, "***")
		}
		var text string
		switch value := attr.Value.Any().(type) {
		case string:
			text = value
		case error:
			text = value.Error()
		case fmt.Stringer:
			text = value.String()
		default:
			return attr
		}
		masked := text
		for _, secret := range secrets {
			masked = replaceSecret(masked, secret)
		}
		masked = inAddress.ReplaceAllString(masked, "$1***@")
		masked = afterWord.ReplaceAllString(masked, "$1***")
		if masked != text {
			return slog.String(attr.Key, masked)
		}
		return attr
	}
}

// replaceSecret stars a secret; one of less than four characters would star
// half of every text.
func replaceSecret(text, secret string) string {
	if len(secret) < 4 {
		return text
	}
	return strings.ReplaceAll(text, secret, "***")
}
