package etl

import "fmt"

// wideDigits are what input methods write for digits and the signs in numbers.
const wideDigits = `'０１２３４５６７８９－—‐Ｘ', '0123456789---X'`

// form is one of personal data in free text, and what is left of it.
type form struct{ pattern, rest string }

// numbers and homes are starred in this order: an id number contains what looks
// like a phone. Too much starred is better than too little.
var numbers = []form{
	// Id numbers of 18 places, also in groups, and the old ones of 15.
	{`([1-9][0-9]{3})[0-9]{2}[- ]?[0-9]{8}[- ]?([0-9]{3}[0-9Xx])`, `\1**********\2`},
	{`([1-9][0-9]{5})[0-9]{2}(0[1-9]|1[0-2])[0-3][0-9]([0-9]{3})([^0-9]|$)`, `\1******\3\4`},
	// Mobile phones, in whatever groups.
	{`(1[3-9][0-9])(?:[- ]?[0-9]){4}[- ]?([0-9])[- ]?([0-9])[- ]?([0-9])[- ]?([0-9])`, `\1****\2\3\4\5`},
	// Land lines with an area code, and without one where the text says phone.
	{`(^|[^0-9])(0[1-9][0-9]{1,2})[-) ]{0,2}[1-9][0-9]{2,3}[- ]?[0-9]{4}`, `\1\2-****`},
	{`((?:电话|座机|固话|联系方式|致电|回电|拨打)[^0-9]{0,3})[1-9][0-9]{2,3}[- ]?[0-9]{4}`, `\1****`},
}

// What stands behind the building.
var homes = []form{
	{`(幢|栋|号楼|座|单元)[- ]?(?:[0-9]{1,2}-)?[0-9]{3,4}([^0-9元米天人户年月日]|$)`, `\1**\2`},
	{`[0-9]+(?: ?- ?[0-9]+)* ?(室)|[0-9]{3,4} ?(房)`, `**\1\2`},
	{`(^|[^0-9-])[0-9]{1,3}-[0-9]{1,2}-[0-9]{3,4}([^0-9-]|$)`, `\1**\2`},
}

// Two cheap tests spare most texts the work: every form needs three digits in
// a row or the word for a room, every number seven digits with little between.
const (
	mayBePersonal = `[0-9０-９]{3}|室`
	mayBeNumber   = `[0-9０-９](?:[-－—‐) ]{0,2}[0-9０-９]){6}`
)

// scanned stars phones, id numbers and homes in free text.
func scanned(expression string) string {
	plain := "translate(" + expression + ", " + wideDigits + ")"
	stars := fmt.Sprintf("case when regexp_matches(%[1]s, '%[2]s') then %[3]s else %[4]s end", expression, mayBeNumber, starred(plain, numbers), plain)
	return fmt.Sprintf("case when regexp_matches(%[1]s, '%[2]s') then %[3]s else %[1]s end", expression, mayBePersonal, starred(stars, homes))
}

func starred(expression string, forms []form) string {
	for _, form := range forms {
		expression = fmt.Sprintf("regexp_replace(%s, %s, %s, 'g')", expression, literal(form.pattern), literal(form.rest))
	}
	return expression
}
