package pgwire

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// ServerVersion is the PostgreSQL that clients are told they speak to; what
// they ask of its catalogue follows from it.
const ServerVersion = "15.0"

// defaultSchema is where tables are looked for that are written without one.
const defaultSchema = "bulletin"

// zoneName is the time zone of a town.
const zoneName = "Asia/Shanghai"

// reported are the settings that a client is told at the start and whenever
// they change.
var reported = []string{
	"server_version", "server_encoding", "client_encoding", "application_name", "is_superuser", "session_authorization",
	"DateStyle", "IntervalStyle", "TimeZone", "integer_datetimes", "standard_conforming_strings", "default_transaction_read_only", "in_hot_standby",
}

func (n *session) startSettings() {
	n.settings = map[string]string{
		"server_version": ServerVersion, "server_version_num": "150000", "server_encoding": "UTF8", "client_encoding": "UTF8",
		"application_name": n.settings["application_name"], "is_superuser": "off", "session_authorization": n.account,
		"DateStyle": "ISO, MDY", "IntervalStyle": "postgres", "TimeZone": zoneName, "integer_datetimes": "on",
		"standard_conforming_strings": "on", "default_transaction_read_only": "on", "transaction_read_only": "on", "in_hot_standby": "off",
		"transaction_isolation": "repeatable read", "default_transaction_isolation": "repeatable read",
		"search_path": defaultSchema, "max_index_keys": "32", "max_identifier_length": "63", "lc_collate": "C", "lc_ctype": "C",
		"extra_float_digits": "3", "bytea_output": "hex", "statement_timeout": "0", "client_min_messages": "notice",
	}
	n.zone, _ = time.LoadLocation(zoneName)
}

// settingName finds a setting's own spelling.
func settingName(name string) string {
	name = unquote(strings.TrimSpace(name))
	if strings.EqualFold(strings.Join(strings.Fields(name), " "), "time zone") {
		return "TimeZone"
	}
	if strings.EqualFold(strings.Join(strings.Fields(name), " "), "transaction isolation level") {
		return "transaction_isolation"
	}
	for _, known := range []string{"DateStyle", "IntervalStyle", "TimeZone"} {
		if strings.EqualFold(name, known) {
			return known
		}
	}
	return strings.ToLower(name)
}

var (
	assignment  = regexp.MustCompile(`(?is)^(?:session\s+|local\s+)?(time\s+zone|[\w."]+)\s*(?:=|\s+to\s+|\s)\s*(.+)$`)
	aboutTx     = regexp.MustCompile(`(?is)^(?:session\s+characteristics\s+as\s+)?(?:local\s+)?transaction\b`)
	startOption = regexp.MustCompile(`-(?:c\s*|-)([\w.]+)=((?:\\.|[^\s\\])*)`)
	plainName   = regexp.MustCompile(`^"?([\p{L}_][\p{L}\p{N}_]*)"?$`)
)

func (n *session) setCommand(text string) error {
	if aboutTx.MatchString(text) {
		return nil // all transactions read only, and of one published version
	}
	found := assignment.FindStringSubmatch(text)
	if found == nil {
		return fail("42601", "SET: want a name and a value")
	}
	return n.set(found[1], strings.TrimSpace(found[2]))
}

// set takes a setting. Those that change what an answer looks like are obeyed
// or refused; the others are remembered and change nothing.
func (n *session) set(name, value string) error {
	name = settingName(name)
	plain := unquote(value)
	if strings.EqualFold(plain, "default") || name == "TimeZone" && plain == "" {
		return n.reset(name)
	}
	if len(name)+len(value) > 1<<10 || len(n.settings) > 200 {
		return fail("54000", "a setting that long, or that many settings, are not kept")
	}
	switch name {
	case "client_encoding":
		if folded := strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(plain)); folded != "utf8" && folded != "unicode" {
			return fail("22023", fmt.Sprintf("client_encoding %q: this server speaks UTF8 only; set PGCLIENTENCODING=UTF8", plain))
		}
		plain = "UTF8"
	case "DateStyle":
		if !strings.Contains(strings.ToLower(plain), "iso") {
			return fail("22023", fmt.Sprintf("DateStyle %q: this server writes ISO only", plain))
		}
		plain = "ISO, MDY"
	case "TimeZone":
		zone, err := time.LoadLocation(plain)
		if err != nil {
			return fail("22023", fmt.Sprintf("TimeZone %q: no such time zone; write it as Asia/Shanghai or UTC", plain))
		}
		n.zone = zone
	case "role", "session_authorization", "authorization":
		if !strings.EqualFold(plain, "none") {
			return fail("42501", "an account is what it is; connect as another one")
		}
		return nil
	case "server_version", "server_version_num", "server_encoding", "is_superuser", "integer_datetimes", "in_hot_standby", "transaction_read_only", "default_transaction_read_only":
		if plain != n.settings[name] && !isYes(plain) {
			return fail("55P02", fmt.Sprintf("%s cannot be changed", name))
		}
		return nil
	case "standard_conforming_strings":
		if !isYes(plain) {
			return fail("22023", "standard_conforming_strings is always on")
		}
		plain = "on"
	case "search_path":
		plain = value
	}
	n.settings[name] = plain
	n.tell(name)
	return nil
}

func isYes(value string) bool {
	return slices.Contains([]string{"on", "true", "yes", "1"}, strings.ToLower(value))
}

func (n *session) reset(name string) error {
	before := n.settings
	n.startSettings()
	if name = settingName(name); strings.EqualFold(name, "all") {
		return nil
	}
	start, known := n.settings[name]
	if n.settings = before; known {
		return n.set(name, start)
	}
	delete(n.settings, name)
	return nil
}

// tell reports a changed setting, once the client is in.
func (n *session) tell(name string) {
	if n.status != 0 && slices.Contains(reported, name) {
		n.report(name)
	}
}

func (n *session) report(name string) {
	value := n.settings[name]
	if name == "session_authorization" {
		value = n.account
	}
	n.backend.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
}

// schema is the first of the search path that can hold tables.
func (n *session) schema() string {
	for part := range strings.SplitSeq(n.settings["search_path"], ",") {
		found := plainName.FindStringSubmatch(strings.Trim(strings.TrimSpace(part), "'"))
		if found != nil && !slices.Contains([]string{"public", "pg_catalog", "information_schema"}, found[1]) {
			return found[1]
		}
	}
	return defaultSchema
}

// unquote takes the quotes off a name or a value.
func unquote(text string) string {
	if len(text) >= 2 && (text[0] == '\'' || text[0] == '"') && text[len(text)-1] == text[0] {
		return strings.ReplaceAll(text[1:len(text)-1], text[:1]+text[:1], text[:1])
	}
	return text
}

func sortedNames(settings map[string]string) []string {
	return slices.Sorted(maps.Keys(settings))
}
