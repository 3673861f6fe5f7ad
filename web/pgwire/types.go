package pgwire

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"tongbao/warehouse"
)

// columnType is how a column of the engine is told to clients.
type columnType struct {
	oid    uint32
	size   int16 // bytes, -1 for as many as there are
	mod    int32 // precision and scale of a numeric, -1 for none
	format int16 // 0 text, 1 binary
}

const oidText = pgtype.TextOID

// engineTypes maps the engine's types to PostgreSQL's. What is not here is
// told as text.
var engineTypes = map[string]columnType{
	"BOOLEAN": {pgtype.BoolOID, 1, -1, 0},
	"TINYINT": {pgtype.Int2OID, 2, -1, 0}, "UTINYINT": {pgtype.Int2OID, 2, -1, 0}, "SMALLINT": {pgtype.Int2OID, 2, -1, 0},
	"USMALLINT": {pgtype.Int4OID, 4, -1, 0}, "INTEGER": {pgtype.Int4OID, 4, -1, 0},
	"UINTEGER": {pgtype.Int8OID, 8, -1, 0}, "BIGINT": {pgtype.Int8OID, 8, -1, 0},
	"UBIGINT": {pgtype.NumericOID, -1, -1, 0}, "HUGEINT": {pgtype.NumericOID, -1, -1, 0}, "UHUGEINT": {pgtype.NumericOID, -1, -1, 0},
	"FLOAT": {pgtype.Float4OID, 4, -1, 0}, "DOUBLE": {pgtype.Float8OID, 8, -1, 0},
	"DATE": {pgtype.DateOID, 4, -1, 0}, "TIME": {pgtype.TimeOID, 8, -1, 0}, "UUID": {pgtype.UUIDOID, 16, -1, 0},
	"TIMESTAMP": {pgtype.TimestampOID, 8, -1, 0}, "TIMESTAMP_S": {pgtype.TimestampOID, 8, -1, 0},
	"TIMESTAMP_MS": {pgtype.TimestampOID, 8, -1, 0}, "TIMESTAMP_NS": {pgtype.TimestampOID, 8, -1, 0},
	"TIMESTAMPTZ": {pgtype.TimestamptzOID, 8, -1, 0}, "TIMESTAMP WITH TIME ZONE": {pgtype.TimestamptzOID, 8, -1, 0},
}

var decimalType = regexp.MustCompile(`^DECIMAL\((\d+),\s*(\d+)\)$`)

func typeOf(engine string) columnType {
	if known, found := engineTypes[engine]; found {
		return known
	}
	if found := decimalType.FindStringSubmatch(engine); found != nil {
		precision, _ := strconv.Atoi(found[1])
		scale, _ := strconv.Atoi(found[2])
		return columnType{pgtype.NumericOID, -1, int32(precision<<16|scale) + 4, 0}
	}
	return columnType{oidText, -1, -1, 0}
}

func formatOf(formats []int16, column int) int16 {
	if len(formats) == 0 {
		return 0
	}
	return formats[min(column, len(formats)-1)]
}

func rowDescription(columns []warehouse.Column, formats []int16) *pgproto3.RowDescription {
	description := &pgproto3.RowDescription{}
	for i, column := range columns {
		one := typeOf(column.Type)
		description.Fields = append(description.Fields, pgproto3.FieldDescription{
			Name: []byte(column.Name), DataTypeOID: one.oid, DataTypeSize: one.size, TypeModifier: one.mod, Format: formatOf(formats, i),
		})
	}
	return description
}

// encode writes a value of the engine, as it casts it to text, as PostgreSQL
// would.
func (n *session) encode(column columnType, text string) ([]byte, error) {
	switch column.oid {
	case oidText:
		return []byte(text), nil
	case pgtype.BoolOID:
		text = text[:1]
	case pgtype.Float4OID, pgtype.Float8OID:
		if special, found := floatWords[text]; found {
			text = special
		}
	case pgtype.TimestampOID:
		text = cutNanoseconds(text)
	case pgtype.TimestamptzOID:
		text = inZone(text, n.zone)
	}
	if column.format == 0 {
		return []byte(text), nil
	}
	known, found := n.types.TypeForOID(column.oid)
	if !found {
		return nil, fmt.Errorf("no codec of the type %d", column.oid)
	}
	value, err := known.Codec.DecodeValue(n.types, column.oid, pgtype.TextFormatCode, []byte(text))
	if err == nil {
		var encoded []byte
		if encoded, err = n.types.Encode(column.oid, pgtype.BinaryFormatCode, encodable(column.oid, value), nil); err == nil {
			return encoded, nil
		}
	}
	return nil, fail("22000", fmt.Sprintf("%q cannot be sent in binary; ask for text", text))
}

// encodable gives infinity the type of its column; the codecs read it, but do
// not write it without one.
func encodable(oid uint32, value any) any {
	infinity, isInfinity := value.(pgtype.InfinityModifier)
	switch {
	case !isInfinity:
		return value
	case oid == pgtype.DateOID:
		return pgtype.Date{InfinityModifier: infinity, Valid: true}
	case oid == pgtype.TimestampOID:
		return pgtype.Timestamp{InfinityModifier: infinity, Valid: true}
	}
	return pgtype.Timestamptz{InfinityModifier: infinity, Valid: true}
}

var floatWords = map[string]string{"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}

// cutNanoseconds leaves the microseconds that PostgreSQL has.
func cutNanoseconds(text string) string {
	if dot := strings.IndexByte(text, '.'); dot > 0 && len(text) > dot+7 {
		return text[:dot+7]
	}
	return text
}

// inZone tells a moment in a time zone; what is no moment, as infinity, stays.
func inZone(text string, zone *time.Location) string {
	for _, layout := range []string{"2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999Z07:00"} {
		if moment, err := time.Parse(layout, text); err == nil {
			moment = moment.In(zone)
			layout := "2006-01-02 15:04:05.999999-07"
			if _, offset := moment.Zone(); offset%3600 != 0 {
				layout += ":00"
			}
			return moment.Format(layout)
		}
	}
	return text
}

// param reads the value of a parameter. A list is several parameters.
func (n *session) param(number int, oid uint32, format int16, value []byte) (params []warehouse.Param, isList bool, err error) {
	name := strconv.Itoa(number)
	if value == nil {
		return []warehouse.Param{{Name: name, Type: warehouse.NullParam}}, false, nil
	}
	known, found := n.types.TypeForOID(oid)
	if format == 1 && !found {
		return nil, false, fail("42P18", fmt.Sprintf("the parameter $%d came in binary without a type", number))
	}
	if array, isArray := arrayCodec(known); isArray {
		elements, err := n.elements(known, format, value)
		if err != nil || len(elements) >= elementNumbers {
			return nil, false, badParam(number)
		}
		for i, element := range elements {
			one := warehouse.Param{Type: warehouse.NullParam}
			if element != nil {
				one = paramOf(array.ElementType.OID, string(element))
			}
			one.Name = strconv.Itoa(number*elementNumbers + i + 1)
			params = append(params, one)
		}
		return params, true, nil
	}
	text := value
	if format == 1 {
		if text, err = n.asText(known, oid, value); err != nil {
			return nil, false, badParam(number)
		}
	}
	one := paramOf(oid, string(text))
	one.Name = name
	return []warehouse.Param{one}, false, nil
}

// elementNumbers sets the numbers of a list's elements apart from those of
// parameters: $3 with two elements becomes [$300001, $300002].
const elementNumbers = 100_000

func badParam(number int) error {
	return fail("22P02", fmt.Sprintf("the value of the parameter $%d is not of its type", number))
}

func arrayCodec(known *pgtype.Type) (*pgtype.ArrayCodec, bool) {
	if known == nil {
		return nil, false
	}
	array, isArray := known.Codec.(*pgtype.ArrayCodec)
	return array, isArray
}

func (n *session) asText(known *pgtype.Type, oid uint32, binary []byte) ([]byte, error) {
	value, err := known.Codec.DecodeValue(n.types, oid, pgtype.BinaryFormatCode, binary)
	if err != nil {
		return nil, err
	}
	return n.types.Encode(oid, pgtype.TextFormatCode, value, []byte{})
}

// elements reads the elements of an array of one dimension; nil is null.
func (n *session) elements(known *pgtype.Type, format int16, value []byte) ([][]byte, error) {
	array, _ := arrayCodec(known)
	decoded, err := known.Codec.DecodeValue(n.types, known.OID, format, value)
	if err != nil {
		return nil, err
	}
	list, ok := decoded.([]any)
	if !ok {
		return nil, fmt.Errorf("an array of %T", decoded)
	}
	texts := make([][]byte, len(list))
	for i, one := range list {
		if one == nil {
			continue
		}
		if texts[i], err = n.types.Encode(array.ElementType.OID, pgtype.TextFormatCode, one, []byte{}); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// zonedDay is how JDBC writes a day of which it does not know the type.
var zonedDay = regexp.MustCompile(`^(\d{4}-\d\d-\d\d) ?[+-]\d\d(?::?\d\d)?$`)

// paramOf says as what a text goes into the statement. What the client gave no
// type takes the type of what it is compared with.
func paramOf(oid uint32, text string) warehouse.Param {
	switch oid {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID, pgtype.NumericOID, pgtype.Float4OID, pgtype.Float8OID:
		return warehouse.Param{Value: text, Type: warehouse.NumberParam}
	case pgtype.BoolOID:
		is := isYes(text) || strings.EqualFold(text, "t")
		return warehouse.Param{Value: strconv.FormatBool(is), Type: warehouse.BoolParam}
	case pgtype.DateOID:
		return warehouse.Param{Value: text, Type: warehouse.DateParam}
	case 0, pgtype.UnknownOID:
		if found := zonedDay.FindStringSubmatch(text); found != nil {
			return warehouse.Param{Value: found[1], Type: warehouse.DateParam}
		}
	}
	return warehouse.Param{Value: text}
}

func namesOf(params []warehouse.Param) []string {
	names := make([]string, len(params))
	for i, one := range params {
		names[i] = one.Name
	}
	return names
}
