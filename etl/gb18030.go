package etl

import (
	"bytes"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// GB18030 as the standard of 2022 has it. The library's decoder leaves out
// 2,067 valid two-byte codes (it answers U+FFFD, without an error), still has
// 19 four-byte codes where the standard of 2000 had them, answers U+FFFD for
// bytes that are no character at all, and takes some of them for a four-byte
// code (gbFalse). So its output is used for text in
// which none of these can occur, and everything else goes through here.
//
// All codes together are all Unicode characters, each once, which a test
// counts; with one exception: A3A0 is read as the full-width space U+3000 that
// people mean by it, as browsers do, and not as the private U+E5E5.

// gbRun is a run of two-byte codes that stand for private-use characters.
type gbRun struct {
	code  uint16
	count int
	char  rune
}

// gbPrivate are the private-use codes outside the three user-defined zones.
var gbPrivate = []gbRun{
	{0xa2ab, 6, 0xe766}, {0xa2e4, 1, 0xe76d}, {0xa2ef, 2, 0xe76e}, {0xa2fd, 2, 0xe770},
	{0xa4f4, 11, 0xe772}, {0xa5f7, 8, 0xe77d}, {0xa6b9, 8, 0xe785}, {0xa6f6, 9, 0xe797},
	{0xa7c2, 15, 0xe7a0}, {0xa7f2, 13, 0xe7af}, {0xa896, 11, 0xe7bc}, {0xa8c1, 4, 0xe7c9},
	{0xa8ea, 21, 0xe7cd}, {0xa958, 1, 0xe7e2}, {0xa95b, 1, 0xe7e3}, {0xa95d, 3, 0xe7e4},
	{0xa997, 13, 0xe7f4}, {0xa9f0, 15, 0xe801}, {0xd7fa, 5, 0xe810}, {0xfe51, 3, 0xe816},
	{0xfe6c, 1, 0xe831}, {0xfe76, 1, 0xe83b}, {0xfe91, 1, 0xe855},
}

// gbMove is a character that got a two-byte code of its own in 2005 or 2022;
// its earlier four-byte code took over the private-use character.
type gbMove struct {
	two         uint16
	four        uint32
	char, moved rune
}

var gbMoves = []gbMove{
	{0xa8bc, 0x8135f437, 0x1e3f, 0xe7c7},
	{0xa6d9, 0x84318236, 0xfe10, 0xe78d}, {0xa6da, 0x84318238, 0xfe12, 0xe78e},
	{0xa6db, 0x84318237, 0xfe11, 0xe78f}, {0xa6dc, 0x84318239, 0xfe13, 0xe790},
	{0xa6dd, 0x84318330, 0xfe14, 0xe791}, {0xa6de, 0x84318331, 0xfe15, 0xe792},
	{0xa6df, 0x84318332, 0xfe16, 0xe793}, {0xa6ec, 0x84318333, 0xfe17, 0xe794},
	{0xa6ed, 0x84318334, 0xfe18, 0xe795}, {0xa6f3, 0x84318335, 0xfe19, 0xe796},
	{0xfe59, 0x82359037, 0x9fb4, 0xe81e}, {0xfe61, 0x82359038, 0x9fb5, 0xe826},
	{0xfe66, 0x82359039, 0x9fb6, 0xe82b}, {0xfe67, 0x82359130, 0x9fb7, 0xe82c},
	{0xfe6d, 0x82359131, 0x9fb8, 0xe832}, {0xfe7e, 0x82359132, 0x9fb9, 0xe843},
	{0xfe90, 0x82359133, 0x9fba, 0xe854}, {0xfea0, 0x82359134, 0x9fbb, 0xe864},
}

// gbMovedStarts begin the four-byte codes of gbMoves.
var gbMovedStarts = [][]byte{{0x81, 0x35, 0xf4}, {0x82, 0x35, 0x90}, {0x82, 0x35, 0x91}, {0x84, 0x31, 0x82}, {0x84, 0x31, 0x83}}

// gb18030 decodes GB18030; with isGBK a lone 80 is the euro sign, as on
// Chinese Windows (code page 936).
func gb18030(isGBK bool) charset {
	library := simplifiedchinese.GB18030.NewDecoder()
	name := "GB18030"
	if isGBK {
		name = "GBK"
	}
	return charset{
		name: name,
		bulk: library,
		isPlain: func(source, decoded []byte) bool {
			for _, start := range gbMovedStarts {
				if bytes.Contains(source, start) {
					return false
				}
			}
			if gbFalse(source) {
				return false
			}
			// The library reads a lone 80 as a euro sign in GB18030 too.
			return bytes.IndexByte(source, 0x80) < 0 || !bytes.Contains(decoded, []byte("€"))
		},
		one: func(target, source []byte) ([]byte, int) {
			if isGBK && source[0] == 0x80 {
				return utf8.AppendRune(target, '€'), 1
			}
			return gbChar(target, source)
		},
	}
}

// gbFalse says whether there is something that the library takes for a four-byte
// code though its second byte is no digit but one of :;<=>?.
func gbFalse(source []byte) bool {
	isHigh := func(b byte) bool { return b >= 0x81 && b <= 0xfe }
	for i := 1; i+2 < len(source); i++ {
		if source[i]-':' < 6 && isHigh(source[i-1]) && isHigh(source[i+1]) && source[i+2]-'0' < 10 {
			return true
		}
	}
	return false
}

// gbChar appends the character that source begins with and returns its size;
// 0 if source begins with none.
func gbChar(target, source []byte) ([]byte, int) {
	size := gbSize(source)
	switch size {
	case 0:
		return target, 0
	case 1:
		return append(target, source[0]), 1
	case 2:
		return utf8.AppendRune(target, gbTwoBytes()[int(source[0])<<8|int(source[1])]), 2
	case 4:
		code := uint32(source[0])<<24 | uint32(source[1])<<16 | uint32(source[2])<<8 | uint32(source[3])
		for _, move := range gbMoves {
			if move.four == code {
				return utf8.AppendRune(target, move.moved), 4
			}
		}
		if code == 0x8431a437 { // the character U+FFFD itself
			return utf8.AppendRune(target, utf8.RuneError), 4
		}
	}
	char := gbLibrary(source[:size])
	if char == utf8.RuneError {
		return target, 0
	}
	return utf8.AppendRune(target, char), size
}

// gbTwoBytes has the character of every two-byte code.
var gbTwoBytes = sync.OnceValue(func() *[1 << 16]rune {
	var table [1 << 16]rune
	for code := range table {
		source := []byte{byte(code >> 8), byte(code)}
		if gbSize(source) != 2 {
			continue
		}
		if table[code] = gbPrivateChar(uint16(code)); table[code] == 0 {
			table[code] = gbLibrary(source)
		}
	}
	return &table
})

// gbLibrary is the library's character for a single code.
func gbLibrary(code []byte) rune {
	var buffer [utf8.UTFMax]byte
	n, _, err := simplifiedchinese.GB18030.NewDecoder().Transform(buffer[:], code, true)
	char, _ := utf8.DecodeRune(buffer[:n])
	if err != nil {
		return utf8.RuneError
	}
	return char
}

// gbPrivateChar returns what the library lacks, 0 for any other code.
func gbPrivateChar(code uint16) rune {
	lead, trail := rune(code>>8), rune(code&0xff)
	switch {
	case trail >= 0xa1 && lead >= 0xaa && lead <= 0xaf:
		return 0xe000 + (lead-0xaa)*94 + trail - 0xa1
	case trail >= 0xa1 && lead >= 0xf8:
		return 0xe234 + (lead-0xf8)*94 + trail - 0xa1
	case trail <= 0xa0 && lead >= 0xa1 && lead <= 0xa7 && code != 0xa3a0:
		if trail > 0x7f {
			trail--
		}
		return 0xe4c6 + (lead-0xa1)*96 + trail - 0x40
	}
	for _, move := range gbMoves {
		if move.two == code {
			return move.char
		}
	}
	for _, run := range gbPrivate {
		if at := int(code) - int(run.code); at >= 0 && at < run.count {
			return run.char + rune(at)
		}
	}
	return 0
}

// gbSize returns the length of the character that begins source by the
// standard's structure, 0 if none can.
func gbSize(source []byte) int {
	if source[0] < 0x80 {
		return 1
	}
	if source[0] == 0x80 || source[0] == 0xff || len(source) < 2 {
		return 0
	}
	if source[1] >= 0x40 && source[1] != 0x7f && source[1] != 0xff {
		return 2
	}
	if len(source) >= 4 && source[1] >= '0' && source[1] <= '9' && source[2] >= 0x81 && source[2] != 0xff && source[3] >= '0' && source[3] <= '9' {
		return 4
	}
	return 0
}
