package etl

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// gbCodes calls use with every code that the structure of GB18030 allows.
func gbCodes(use func(code []byte)) {
	for lead := 0; lead < 0x80; lead++ {
		use([]byte{byte(lead)})
	}
	for lead := 0x81; lead < 0xff; lead++ {
		for trail := 0x40; trail < 0xff; trail++ {
			if trail != 0x7f {
				use([]byte{byte(lead), byte(trail)})
			}
		}
		for second := '0'; second <= '9'; second++ {
			for third := 0x81; third < 0xff; third++ {
				for fourth := '0'; fourth <= '9'; fourth++ {
					use([]byte{byte(lead), byte(second), byte(third), byte(fourth)})
				}
			}
		}
	}
}

// gbTable maps every character to its code.
func gbTable(t testing.TB) map[rune]string {
	t.Helper()
	table := make(map[rune]string, 1<<20)
	gbCodes(func(code []byte) {
		text, size := gbChar(nil, code)
		if size == 0 {
			if len(code) != 4 {
				t.Errorf("%x stands for nothing, but the standard has every 1- and 2-byte code", code)
			}
			return
		}
		char, n := utf8.DecodeRune(text)
		if size != len(code) || n != len(text) {
			t.Fatalf("%x: got %q of %d bytes", code, text, size)
		}
		if other, taken := table[char]; taken && string(code) != "\xa3\xa0" {
			t.Errorf("%x and %x are both %U", other, code, char)
		} else if !taken {
			table[char] = string(code)
		}
	})
	return table
}

// TestGB18030IsWhole walks all codes: they are all characters of Unicode,
// each once, but for A3A0.
func TestGB18030IsWhole(t *testing.T) {
	table := gbTable(t)
	for char := rune(0); char <= utf8.MaxRune; char++ {
		_, found := table[char]
		if want := utf8.ValidRune(char) && char != 0xe5e5; found != want {
			t.Errorf("%U: has a code: %v, want %v", char, found, want)
		}
	}
	// Codes of the library's encoder stand for the same character here, but
	// for those that moved.
	moved := map[rune]bool{}
	for _, move := range gbMoves {
		moved[move.char], moved[move.moved] = true, true
	}
	encoder := simplifiedchinese.GB18030.NewEncoder()
	for char, code := range table {
		library, err := encoder.Bytes([]byte(string(char)))
		if err == nil && !moved[char] && string(library) != code && !(char >= 0xe000 && char <= 0xf8ff) {
			t.Errorf("%U: the library writes %x, we read %x", char, library, code)
		}
	}
}

// TestGB18030Chunks decodes files in which every code stands, in an order of
// chance so that codes lie across the ends of chunks, and compares the way
// through the library with the careful one.
func TestGB18030Chunks(t *testing.T) {
	var codes [][]byte
	gbCodes(func(code []byte) {
		if _, size := gbChar(nil, code); size > 0 {
			codes = append(codes, code)
		}
	})
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(codes), func(i, j int) { codes[i], codes[j] = codes[j], codes[i] })
	var source, want []byte
	for _, code := range codes {
		source = append(source, code...)
		want, _ = gbChar(want, code)
	}
	var got bytes.Buffer
	offset, err := decode(bytes.NewReader(source), &got, gb18030(false))
	if err != nil || offset >= 0 {
		t.Fatalf("offset %d, %v", offset, err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("the text differs from that of the codes one by one")
	}
}

// TestGB18030Codes holds single codes as the tables of the standard print
// them.
func TestGB18030Codes(t *testing.T) {
	for code, want := range map[string]rune{
		"\xaa\xa1": 0xe000, "\xaf\xfe": 0xe233, "\xf8\xa1": 0xe234, "\xfe\xfe": 0xe4c5,
		"\xa1\x40": 0xe4c6, "\xa1\x7e": 0xe504, "\xa1\x80": 0xe505, "\xa7\xa0": 0xe765,
		"\xa2\xab": 0xe766, "\xa2\xe3": '€', "\xa2\xe4": 0xe76d, "\xd7\xfe": 0xe814,
		"\xa6\xd9": 0xfe10, "\x84\x31\x82\x36": 0xe78d, "\xfe\x59": 0x9fb4, "\x82\x35\x90\x37": 0xe81e,
		"\xfe\x51": 0xe816, "\x95\x32\x90\x31": 0x20087, "\xa8\xbc": 0x1e3f, "\x81\x35\xf4\x37": 0xe7c7,
		"\x81\x30\x81\x30": 0x80, "\x84\x31\xa4\x37": 0xfffd, "\x84\x31\xa4\x39": 0xffff,
		"\x90\x30\x81\x30": 0x10000, "\xe3\x32\x9a\x35": 0x10ffff, "\xb0\xa1": '啊', "\xa3\xa0": 0x3000,
	} {
		text, size := gbChar(nil, []byte(code))
		if string(text) != string(want) || size != len(code) {
			t.Errorf("%x: got %q, want %U", code, text, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	long := bytes.Repeat([]byte("\xcd\xa8\xb1\xa8"), chunkBytes/2)
	for name, c := range map[string]struct {
		set    charset
		source []byte
		want   int64
	}{
		"lone lead byte":         {gb18030(false), []byte("ab\xcd"), 2},
		"bad trail byte":         {gb18030(false), []byte("\xcd\xa8\xcd\x20"), 2},
		"euro of Windows":        {gb18030(false), []byte("a\x80"), 1},
		"euro of Windows in GBK": {gb18030(true), []byte("a\x80"), -1},
		"after two chunks":       {gb18030(false), append(bytes.Clone(long), 0xff), int64(len(long))},
		"cut four-byte code":     {gb18030(false), []byte("a\x81\x30\x81"), 1},
		"between the planes":     {gb18030(false), []byte("\x84\x31\xa5\x30"), 0},
		"beyond Unicode":         {gb18030(false), []byte("\xe3\x32\x9a\x36"), 0},
		"odd byte of UTF-16":     {utf16Charset(false), []byte("\xff\xfea\x00b"), 4},
		"lone surrogate":         {utf16Charset(false), []byte("\xff\xfe\x00\xd8a\x00"), 2},
		"UTF-16 with U+FFFD":     {utf16Charset(false), []byte("\xff\xfe\xfd\xff"), -1},
		"CP950 bad trail":        {big5(), []byte("\xa4\xa4\xa4\x20"), 2},
		"CP950":                  {big5(), []byte("\xa4\xa4\xa4\xe5"), -1},
	} {
		var got bytes.Buffer
		offset, err := decode(bytes.NewReader(c.source), &got, c.set)
		if err != nil || offset != c.want {
			t.Errorf("%s: got byte %d, %v; want %d", name, offset, err, c.want)
		}
	}
}

// FuzzGB18030 holds that a text comes back from its bytes, and that bytes are
// read as the careful way alone would read them, with the same first fault.
func FuzzGB18030(f *testing.F) {
	table := gbTable(f)
	for _, seed := range []string{"通报", "a\x80", "\xcd\xa8", "\x81\x30\x81\x30", "\xfe\x59\xa6\xd9", "\x84\x31\x82\x36", "é€𠮷", "\xa3\xa0"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		if utf8.Valid(source) {
			var encoded []byte
			for _, char := range string(source) {
				code, found := table[char]
				if !found {
					code = "?"
				}
				encoded = append(encoded, code...)
			}
			var got bytes.Buffer
			offset, err := decode(bytes.NewReader(encoded), &got, gb18030(false))
			want := bytes.ReplaceAll(source, []byte("\ue5e5"), []byte("?"))
			if err != nil || offset >= 0 || !bytes.Equal(got.Bytes(), want) {
				t.Fatalf("%q came back as %q (byte %d, %v)", source, got.Bytes(), offset, err)
			}
		}
		var want []byte
		wrong := int64(-1)
		for at := 0; at < len(source); {
			var size int
			if want, size = gbChar(want, source[at:]); size == 0 {
				wrong = int64(at)
				break
			}
			at += size
		}
		var got bytes.Buffer
		offset, err := decode(bytes.NewReader(source), &got, gb18030(false))
		if err != nil || offset != wrong || wrong < 0 && !bytes.Equal(got.Bytes(), want) {
			t.Fatalf("%x: got %q, byte %d, %v; want %q, byte %d", source, got.Bytes(), offset, err, want, wrong)
		}
	})
}
