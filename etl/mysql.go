package etl

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// mySQL reads a table or a SELECT of MySQL or MariaDB in one read-only
// transaction on one snapshot. Values come by the text protocol, as the server
// writes them, in UTF-8 whatever a column's own character set is.
type mySQL struct {
	d      *Definition
	config *mysql.Config
	secret string
}

func newMySQL(d *Definition, address string) (*mySQL, error) {
	config, err := parseMySQL(address)
	if err != nil {
		return nil, &FileError{Where: "read the address", What: scrub(err.Error(), address), Do: "write it as mysql://account:password@host:3306/database"}
	}
	config.Timeout, config.ReadTimeout = connectTimeout, d.Connect.timeout
	config.ParseTime, config.InterpolateParams, config.MultiStatements, config.AllowAllFiles = false, false, false, false
	config.Logger = &mysql.NopLogger{}
	if d.Connect.CAFile != "" {
		host, _, err := net.SplitHostPort(config.Addr)
		if err == nil {
			config.TLS, err = d.Connect.trust(host)
		}
		if err != nil {
			return nil, err
		}
		config.AllowFallbackToPlaintext = false
	}
	if err := config.Apply(mysql.Charset("utf8mb4", "")); err != nil {
		return nil, err
	}
	return &mySQL{d, config, address}, nil
}

// parseMySQL reads mysql:// addresses and the driver's own form.
func parseMySQL(address string) (*mysql.Config, error) {
	if !strings.HasPrefix(address, "mysql://") && !strings.HasPrefix(address, "mariadb://") {
		return mysql.ParseDSN(address)
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("not an address")
	}
	config := mysql.NewConfig()
	config.Net, config.Addr, config.DBName = "tcp", parsed.Host, strings.TrimPrefix(parsed.Path, "/")
	if parsed.Port() == "" {
		config.Addr += ":3306"
	}
	config.User = parsed.User.Username()
	config.Passwd, _ = parsed.User.Password()
	for name := range parsed.Query() {
		if name != "tls" { // a misspelt one must not lead into the clear
			return nil, fmt.Errorf("%s: only the parameter tls is known; certificates are named by connect.ca_file", name)
		}
	}
	switch parsed.Query().Get("tls") {
	case "", "false":
	case "true":
		config.TLS = &tls.Config{ServerName: parsed.Hostname(), MinVersion: tls.VersionTLS12}
	default:
		return nil, errors.New("tls: want true or false")
	}
	return config, nil
}

func (m *mySQL) host() string { return m.config.Addr + "/" + m.config.DBName }

func (m *mySQL) read(ctx context.Context, w window, into *rowFile) error {
	connector, err := mysql.NewConnector(m.config)
	if err != nil {
		return m.wrong("read the address", err, "correct the address")
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return m.wrong("connect", err, "check address, account and password, and that the server lets this machine in")
	}
	defer conn.Close()
	if err := m.settle(ctx, conn, into); err != nil {
		return err
	}
	statement, err := m.statement(ctx, conn, w, into)
	if err != nil {
		return err
	}
	if err := m.stream(ctx, conn, statement, into); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "commit")
	return err
}

// settle makes the session read-only on one snapshot, in the declared zone,
// and learns the server's own time.
func (m *mySQL) settle(ctx context.Context, conn *sql.Conn, into *rowFile) error {
	var version string
	if err := conn.QueryRowContext(ctx, "select version()").Scan(&version); err != nil {
		return m.wrong("ask the version", err, "look at the server's log")
	}
	limit := fmt.Sprintf("set session max_execution_time = %d", m.d.Connect.timeout.Milliseconds())
	if strings.Contains(version, "MariaDB") {
		limit = fmt.Sprintf("set session max_statement_time = %d", int64(m.d.Connect.timeout.Seconds()))
	}
	zone := m.d.Connect.zone
	_, err := conn.ExecContext(ctx, "set session time_zone = "+literal(zone.String()))
	if err != nil {
		// The server has no zone tables; a zone that never changes needs none.
		offset, isFixed := fixedOffset(zone)
		if !isFixed {
			return m.wrong("set the time zone", err, "load the zone tables into the server (mysql_tzinfo_to_sql)")
		}
		if _, err := conn.ExecContext(ctx, "set session time_zone = "+literal(offset)); err != nil {
			return m.wrong("set the time zone", err, "check timezone")
		}
	}
	for _, statement := range []string{limit, "set session transaction isolation level repeatable read",
		"start transaction with consistent snapshot, read only"} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return m.wrong("set the session", err, "check the account's rights")
		}
	}
	var now string
	if err := conn.QueryRowContext(ctx, "select cast(now(6) as char)").Scan(&now); err != nil {
		return m.wrong("ask the time", err, "look at the server's log")
	}
	if moment, ok := parseMoment(now, zone); ok {
		into.mark.most = moment
	}
	into.mark.isSorted = true
	return nil
}

// fixedOffset is a zone's offset if it has been the same since 1992 and will
// be: China's is.
func fixedOffset(zone *time.Location) (string, bool) {
	offset := time.Date(1992, 1, 1, 0, 0, 0, 0, zone).Format("-07:00")
	for month := range 12 * 60 {
		if time.Date(1992, time.Month(1+month), 1, 0, 0, 0, 0, zone).Format("-07:00") != offset {
			return "", false
		}
	}
	return offset, true
}

func (m *mySQL) statement(ctx context.Context, conn *sql.Conn, w window, into *rowFile) (string, error) {
	c := m.d.Connect
	if c.Query != "" {
		return c.fill(w)
	}
	var parts []string
	for _, part := range strings.Split(c.Table, ".") {
		parts = append(parts, backtick(part))
	}
	table := strings.Join(parts, ".")
	rows, err := conn.QueryContext(ctx, "select * from "+table+" limit 0")
	if err != nil {
		return "", m.wrong("look at "+c.Table, err, "check connect.table and the account's right to read it")
	}
	have, err := rows.Columns()
	types, wrong := rows.ColumnTypes()
	if err = errors.Join(err, wrong, rows.Close()); err != nil {
		return "", m.wrong("look at "+c.Table, err, "check connect.table")
	}
	names, err := m.d.wanted(w, have, into, func(i int) (string, error) { return inexactMySQL(types[i]), nil })
	if err != nil {
		return "", err
	}
	for i := range names {
		names[i] = backtick(names[i])
	}
	return "select " + strings.Join(names, ", ") + " from " + table + c.where(w, backtick(c.Cursor)), nil
}

func backtick(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func (m *mySQL) stream(ctx context.Context, conn *sql.Conn, statement string, into *rowFile) error {
	rows, err := conn.QueryContext(ctx, statement)
	if err != nil {
		return m.wrong("read rows", err, "correct connect.query or connect.table")
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return m.wrong("read rows", err, "look at the server's log")
	}
	names, dates, bits, err := m.shape(types)
	if err != nil {
		return err
	}
	if err := m.d.begin(names, into); err != nil {
		return err
	}
	cells, values, pointers := make([]sql.RawBytes, len(types)), make([][]byte, len(types)), make([]any, len(types))
	for i := range cells {
		pointers[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(pointers...); err != nil {
			return m.wrong("read rows", err, "look at the server's log")
		}
		for i, cell := range cells {
			values[i] = cell
		}
		for _, i := range dates {
			if isZeroDate(values[i]) {
				values[i] = nil
			}
		}
		for _, i := range bits {
			if values[i] != nil {
				values[i] = []byte(new(big.Int).SetBytes(values[i]).String())
			}
		}
		if err := into.row(values); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return m.wrong(fmt.Sprintf("read rows, after %d", into.rows), err, "nothing was taken; pull again, and see the server's log if it happens again")
	}
	return nil
}

func (m *mySQL) wrong(step string, err error, do string) error {
	var said *mysql.MySQLError
	if errors.As(err, &said) && (said.Number == 1969 || said.Number == 3024) {
		do = "see whether the server is busy, raise connect.timeout, or begin with a narrower --from and --to"
	}
	what := err.Error()
	if why, next := distrusted(err); why != "" {
		what, do = why, next
	}
	return &FileError{Where: step, What: scrub(what, m.secret, m.config.Passwd), Do: do}
}
