package etl

import "fmt"

// wideDigits are what input methods write for digits and the signs in numbers.
const wideDigits = `'０１２３４５６７８９－—‐Ｘ', '0123456789---X'`

// personal are the forms of personal data in free text and what is left of
// them, in the order in which they are starred: an id number contains what
// looks like a phone. Too much starred is better than too little.
var personal = [][2]string{
	// Id numbers of 18 places, also in groups, and the old ones of 15.
	{`([1-9][0-9]{3})[0-9]{2}[- ]?[0-9]{8}[- ]?([0-9]{3}[0-9Xx])`, `\1**********\2`},
	{`([1-9][0-9]{5})[0-9]{2}(0[1-9]|1[0-2])[0-3][0-9]([0-9]{3})([^0-9]|$)`, `\1******\3\4`},
	// Mobile phones, in whatever groups.
	{`(1[3-9][0-9])(?:[- ]?[0-9]){4}[- ]?([0-9])[- ]?([0-9])[- ]?([0-9])[- ]?([0-9])`, `\1****\2\3\4\5`},
	// Land lines with an area code, and without one where the text says phone.
	{`(^|[^0-9])(0[1-9][0-9]{1,2})[-) ]{0,2}[1-9][0-9]{2,3}[- ]?[0-9]{4}`, `\1\2-****`},
	{`((?:电话|座机|固话|联系方式|致电|回电|拨打)[^0-9]{0,3})[1-9][0-9]{2,3}[- ]?[0-9]{4}`, `\1****`},
	// Homes: what stands behind the building.
	{`(幢|栋|号楼|座|单元)[- ]?(?:[0-9]{1,2}-)?[0-9]{3,4}([^0-9元米天人户年月日]|$)`, `\1**\2`},
	{`[0-9]+(?: ?- ?[0-9]+)* ?(室)|[0-9]{3,4} ?(房)`, `**\1\2`},
	{`(^|[^0-9-])[0-9]{1,3}-[0-9]{1,2}-[0-9]{3,4}([^0-9-]|$)`, `\1**\2`},
}

// scanned stars phones, id numbers and homes in free text. The cheap test in
// front spares most texts the work.
func scanned(expression string) string {
	stars := "translate(" + expression + ", " + wideDigits + ")"
	for _, form := range personal {
		stars = fmt.Sprintf("regexp_replace(%s, %s, %s, 'g')", stars, literal(form[0]), literal(form[1]))
	}
	return fmt.Sprintf("case when regexp_matches(%[1]s, '[0-9０-９]{3}|室') then %[2]s else %[1]s end", expression, stars)
}
