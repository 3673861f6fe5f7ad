package etl

import (
	"fmt"
	"slices"
	"strings"
)

// date is the SQL of a moment: of a column in which the engine's cast decides
// all, nothing but that; of one without offsets from UTC, no test for them.
func (t *typing) date(raw string, c Column) string {
	known := t.trait(c)
	switch {
	case !known.hasUnusual && len(c.Formats) == 0:
		return fmt.Sprintf("try_cast(%s as timestamp)", raw)
	case !known.hasOffset:
		return civilSQL(raw, c.Formats)
	}
	return dateSQL(raw, c.Formats, t.d.Timezone)
}

// dateForms are tried in this order after the engine's own cast.
var dateForms = []string{
	"%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d",
	"%Y.%m.%d", "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日 %H时%M分", "%Y年%m月%d日", "%Y%m%d", "%Y%m%d%H%M%S",
	"%Y-%m-%dT%H:%M:%S", "%Y-%m", "%Y年%m月",
}

// civilSQL types a moment without an offset: the engine's cast first, because
// it is fast, then the written forms for what it does not take.
func civilSQL(raw string, formats []string) string {
	var forms []string
	for _, form := range append(slices.Clone(formats), dateForms...) {
		forms = append(forms, literal(form))
	}
	parsed := fmt.Sprintf("try_strptime(translate(%s, %s), [%s])", raw, digits, strings.Join(forms, ", "))
	if len(formats) == 0 {
		parsed = fmt.Sprintf("coalesce(try_cast(%s as timestamp), %s)", raw, parsed)
	}
	return parsed
}

// dateSQL types any moment. One with an offset from UTC becomes the time that
// clocks showed in the zone; the test of its end spares all others the regular
// expressions. No offset is of more than 14 hours.
func dateSQL(raw string, formats []string, zone string) string {
	return fmt.Sprintf(`case when strlen(%[1]s) > 16 and (suffix(%[1]s, 'Z') or %[1]s[-6] in ('+', '-') or %[1]s[-5] in ('+', '-') or %[1]s[-3] in ('+', '-')) and regexp_matches(%[1]s, ':[0-9]{2}(\.[0-9]+)? *(Z|[+-][0-9]{2}(:?[0-9]{2})?)$')
            then case when regexp_matches(%[1]s, '(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)$') then try_cast(regexp_replace(regexp_replace(%[1]s,
                '([+-][0-9]{2})([0-9]{2})$', '\1:\2'), '([T ][0-9]{2}:[0-9]{2})(Z|[+-])', '\1:00\2') as timestamptz) end at time zone %[2]s
            else %[3]s end`, raw, literal(zone), civilSQL(raw, formats))
}

// boundDate takes nothing before 1990 or after 2100, which no record of a town
// can mean, and moves a day without a time to its end where it is the last day.
// It is a step of its own, so that no form is planned twice.
func boundDate(column, kind, raw string, isDayEnd bool) string {
	moved := column
	if isDayEnd {
		moved = fmt.Sprintf("%[1]s + case when strpos(translate(%[2]s, %[3]s), ':') = 0 and cast(%[1]s as time) = time '00:00:00' then interval 86399 second else interval 0 second end", column, raw, digits)
	}
	return fmt.Sprintf("case when %[1]s between timestamp '1990-01-01' and timestamp '2100-01-01' then %[2]s end::%[3]s as %[1]s", column, moved, kind)
}
