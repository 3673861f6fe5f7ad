package etl

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"

	"tongbao/warehouse"
)

// readParquet stages a Parquet file, which the engine reads itself; every
// column that the definition names is taken as text and typed like any other.
func (d *Definition) readParquet(ctx context.Context, db *warehouse.DB, path string) (stage, error) {
	damaged := func(err error) error {
		return &FileError{What: "is no readable Parquet file: " + firstLine(err), Do: "export or copy it again"}
	}
	if err := refuseNoParquet(path); err != nil {
		return stage{}, err
	}
	rows, err := db.SQL().QueryContext(ctx, "select column_name, column_type from (describe select * from "+parquetFile(path)+")")
	if err != nil {
		return stage{}, damaged(err)
	}
	defer rows.Close()
	var names, kinds []string
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			return stage{}, err
		}
		names, kinds = append(names, name), append(kinds, kind)
	}
	if err := rows.Err(); err != nil {
		return stage{}, damaged(err)
	}
	if len(names) > MaxColumns {
		return stage{}, &FileError{What: fmt.Sprintf("has %d columns, at most %d are read", len(names), MaxColumns), Do: "export only the columns that are needed"}
	}
	h, missing := d.matchHeader(names)
	if len(missing) > 0 {
		return stage{}, d.lacks("", missing, h.unknown)
	}
	for name, at := range h.index {
		if kind := kinds[at]; strings.ContainsAny(kind, "[(") && !strings.HasPrefix(kind, "DECIMAL") || kind == "BLOB" {
			return stage{}, &FileError{Where: "column " + name, What: "is of the type " + kind + ", which is no single text", Do: "export it as text"}
		}
	}
	st := stage{path: path, isFile: true, reader: parquetSQL(path, names, h), header: h}
	if err := db.SQL().QueryRowContext(ctx, "select count(*) from "+parquetFile(path)).Scan(&st.records); err != nil {
		return st, damaged(err)
	}
	if st.records > MaxRows {
		return st, &FileError{What: fmt.Sprintf("has %d rows, at most %d are read", st.records, MaxRows), Do: "split it"}
	}
	return st, nil
}

// refuseNoParquet looks for the mark at both ends of a Parquet file.
func refuseNoParquet(path string) error {
	start, err := firstBytes(path, 4)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	end := make([]byte, 4)
	switch {
	case info.Size() == 0:
		return &FileError{What: "is empty", Do: "export it again"}
	case !bytes.Equal(start, []byte("PAR1")):
		return &FileError{What: "is no Parquet file", Do: "export it again, or change format in the definition"}
	}
	if _, err := file.ReadAt(end, info.Size()-4); err != nil {
		return err
	}
	if !bytes.Equal(end, []byte("PAR1")) {
		return &FileError{What: "is cut short", Do: "export or copy it again"}
	}
	return nil
}

func parquetFile(path string) string {
	return "read_parquet(" + literal(path) + ", binary_as_string = true, hive_partitioning = false, union_by_name = false)"
}

// parquetSQL gives the fields of a Parquet file as text, f<i> in its order.
func parquetSQL(path string, names []string, h header) string {
	read := map[int]bool{}
	for _, at := range h.index {
		read[at] = true
	}
	var fields []string
	for i, name := range names {
		if read[i] {
			fields = append(fields, fmt.Sprintf(`cast("%s" as varchar) as f%d`, strings.ReplaceAll(name, `"`, `""`), i))
		}
	}
	return "(select " + strings.Join(fields, ", ") + " from " + parquetFile(path) + ")"
}

// firstLine of an engine's message: the rest is advice for programmers.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
