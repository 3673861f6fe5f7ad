package etl

import (
	"bytes"
	"database/sql"
	"slices"
)

// exactMySQL are the types whose text says all of the value. FLOAT is not
// among them: the server writes six digits of it.
var exactMySQL = []string{
	"TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "UNSIGNED TINYINT", "UNSIGNED SMALLINT", "UNSIGNED MEDIUMINT",
	"UNSIGNED INT", "UNSIGNED BIGINT", "DECIMAL", "UNSIGNED DECIMAL", "DOUBLE", "UNSIGNED DOUBLE", "CHAR", "VARCHAR", "TEXT", "TINYTEXT",
	"MEDIUMTEXT", "LONGTEXT", "DATE", "DATETIME", "TIMESTAMP", "TIME", "YEAR", "ENUM", "SET", "JSON", "BIT", "NULL",
}

// inexactMySQL names the type of a column that has no exact text, "" if it has.
func inexactMySQL(column *sql.ColumnType) string {
	if kind := column.DatabaseTypeName(); !slices.Contains(exactMySQL, kind) {
		return kind
	}
	return ""
}

// shape names the columns, those whose zero dates become null, and those of
// bits, which become numbers.
func (m *mySQL) shape(types []*sql.ColumnType) (names []string, dates, bits []int, err error) {
	for i, column := range types {
		kind := column.DatabaseTypeName()
		if inexactMySQL(column) != "" {
			return nil, nil, nil, &FileError{Where: "column " + column.Name(), What: "is of type " + kind + ", which has no exact text",
				Do: "leave it out, or cast it in connect.query"}
		}
		names = append(names, column.Name())
		switch kind {
		case "DATE", "DATETIME", "TIMESTAMP":
			if m.d.Connect.ZeroDates == "null" {
				dates = append(dates, i)
			}
		case "BIT":
			bits = append(bits, i)
		}
	}
	return names, dates, bits, nil
}

// isZeroDate recognises dates whose year, month or day is zero: MySQL's way of
// saying that there is none.
func isZeroDate(value []byte) bool {
	return len(value) >= 10 && (bytes.HasPrefix(value, []byte("0000")) || bytes.Equal(value[5:7], []byte("00")) || bytes.Equal(value[8:10], []byte("00")))
}
