package reports

import (
	"strings"
)

// show writes a value as the page shows it; one is its row, for what a place
// or a missing score needs beside it.
func show(value string, k kind, words *locale, one row) string {
	if value == "" {
		return showMissing(k, words, one)
	}
	switch k {
	default:
		return words.data(value)
	case score, rate, exactly:
	case code:
		return words.code(value)
	case listed:
		return words.listed(value)
	case rank:
		if one.get("is_tied") == "true" {
			return value + words.Text["tied"]
		}
	case moves:
		return showMove(value, words)
	case signed:
		return sign(places(value, 2))
	case exact:
		return sign(value)
	case integer, money:
		return separate(value)
	case date:
		return words.day(value)
	case month:
		return words.monthOf(value)
	}
	return value
}

func showMissing(k kind, words *locale, one row) string {
	switch {
	case k == score && one.get("is_provisional") == "true":
		return words.Text["not_reported"]
	case k == moves || k == signed:
		if one.get("place") != "" {
			return words.Text["not_comparable"]
		}
	case k == rank:
		return words.Text["unranked"]
	}
	return ""
}

func showMove(value string, words *locale) string {
	switch {
	case value == "0":
		return words.Text["same"]
	case strings.HasPrefix(value, "-"):
		return "▼" + value[1:]
	}
	return "▲" + value
}

// sign puts a sign before a change; a true minus aligns with the plus.
func sign(value string) string {
	switch {
	case strings.Trim(value, "-0.") == "":
		return strings.TrimPrefix(value, "-")
	case strings.HasPrefix(value, "-"):
		return "−" + value[1:]
	}
	return "+" + value
}

// separate puts commas between thousands.
func separate(value string) string {
	negative := strings.HasPrefix(value, "-")
	whole, fraction, found := strings.Cut(strings.TrimPrefix(value, "-"), ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if found {
		whole += "." + fraction
	}
	if negative {
		return "−" + whole
	}
	return whole
}
