package etl

import (
	"fmt"
	"strings"
)

// digits maps full-width digits and signs to the plain ones.
const digits = `'０１２３４５６７８９：／－．％，', '0123456789:/-.%,'`

// numberSQL types a number and refuses what would have to be rounded: the
// engine's cast turns 3.7 into 4 without a word. A percentage written as text
// is the same as a cell formatted as one: 93.72% is 0.9372.
func numberSQL(raw, kind string) string {
	plain := fmt.Sprintf("replace(translate(%s, %s), ',', '')", raw, digits)
	decimals := 0
	if at := strings.Index(kind, ","); at > 0 {
		fmt.Sscanf(kind[at+1:], "%d", &decimals)
	}
	pattern := fmt.Sprintf(`^[+-]?[0-9]{1,16}(\.[0-9]{1,%d}0*)?$`, max(decimals, 1))
	if decimals == 0 {
		pattern = `^[+-]?[0-9]{1,18}(\.0+)?$`
		return fmt.Sprintf("case when regexp_matches(%[1]s, '%[2]s') then try_cast(split_part(%[1]s, '.', 1) as bigint) end", plain, pattern)
	}
	hundredth := fmt.Sprintf("try_cast(rtrim(%s, '%%') as decimal(18, 6)) * 0.01", plain)
	return fmt.Sprintf(`case when regexp_matches(%[1]s, '%[2]s') then try_cast(%[1]s as %[3]s)
            when regexp_matches(%[1]s, '^[+-]?[0-9]{1,10}(\.[0-9]{1,6})?%%$') and %[4]s = try_cast(%[4]s as %[3]s) then try_cast(%[4]s as %[3]s) end`,
		plain, pattern, kind, hundredth)
}
