package etl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const chunkBytes = 1 << 20

// encodings are what a definition may declare.
var encodings = []string{"auto", "utf-8", "gb18030", "gbk", "utf-16", "cp950"}

// charset is one way to read bytes as text. bulk is the library's fast decoder,
// which answers bytes that it does not know with U+FFFD and no error; one
// reads a single character strictly.
type charset struct {
	name    string
	bulk    transform.Transformer
	isPlain func(source, decoded []byte) bool         // nil, or whether bulk's answer may be kept
	one     func(target, source []byte) ([]byte, int) // size 0: no character begins here
}

// utf8File returns a file with the same text as path in UTF-8: path itself
// when it is valid UTF-8, else a decoded copy at spare. Nothing is replaced:
// bytes that stand for no character are an error with their offset.
func utf8File(path, spare, encoding string) (string, error) {
	start, err := firstBytes(path, 2)
	if err != nil {
		return "", err
	}
	hasMark := bytes.Equal(start, []byte{0xff, 0xfe}) || bytes.Equal(start, []byte{0xfe, 0xff})
	bad := int64(-1)
	var set charset
	switch {
	case encoding == "utf-16" && !hasMark:
		return "", &FileError{Where: "byte 0", What: "has no byte order mark, so it is not the UTF-16 that the definition says",
			Do: "export it again as Unicode text, or change encoding in the definition"}
	case encoding == "utf-16", encoding == "auto" && hasMark:
		set = utf16Charset(start[0] == 0xfe)
	case encoding == "cp950":
		set = big5()
	case encoding == "gb18030", encoding == "gbk":
		set = gb18030(encoding == "gbk")
	default:
		if bad, err = firstInvalidUTF8(path); err != nil || bad < 0 {
			return path, err
		}
		if encoding == "utf-8" {
			return "", &FileError{Where: fmt.Sprintf("byte %d", bad), What: "is not valid UTF-8",
				Do: "save it as UTF-8, or let the definition say encoding: auto or gb18030"}
		}
		set = gb18030(false)
	}
	offset, err := decodeFile(path, spare, set)
	if err != nil {
		return "", err
	}
	if offset < 0 {
		return spare, nil
	}
	what := "is not valid " + set.name
	if bad >= 0 {
		what = fmt.Sprintf("is neither UTF-8 (first wrong byte %d) nor GB18030", bad)
	}
	return "", &FileError{Where: fmt.Sprintf("byte %d", offset), What: what,
		Do: "export it again; the file is damaged or in another encoding"}
}

// firstBytes returns up to n bytes from the start of a file.
func firstBytes(path string, n int) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	start := make([]byte, n)
	n, err = io.ReadFull(file, start)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return start[:n], err
}

// firstInvalidUTF8 returns the offset of the first byte that is not part of a
// valid UTF-8 sequence, -1 if all are.
func firstInvalidUTF8(path string) (int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	buffer := make([]byte, chunkBytes)
	kept, offset := 0, int64(0)
	for {
		n, err := io.ReadFull(file, buffer[kept:])
		part := buffer[:kept+n]
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return 0, err
		}
		whole := len(part)
		if !last {
			whole = lastRuneStart(part)
		}
		if !utf8.Valid(part[:whole]) {
			return offset + int64(invalidAt(part[:whole])), nil
		}
		if last {
			return -1, nil
		}
		offset += int64(whole)
		kept = copy(buffer, part[whole:])
	}
}

// lastRuneStart returns where the last, perhaps cut, rune of part begins.
func lastRuneStart(part []byte) int {
	for i := len(part) - 1; i >= 0 && i >= len(part)-utf8.UTFMax; i-- {
		if utf8.RuneStart(part[i]) {
			return i
		}
	}
	return len(part)
}

func invalidAt(part []byte) int {
	for i := 0; i < len(part); {
		r, size := utf8.DecodeRune(part[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(part)
}

// decodeFile writes the text of path to spare in UTF-8. It returns the offset
// of the first bytes that stand for no character, -1 if all do.
func decodeFile(path, spare string, set charset) (offset int64, err error) {
	source, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer source.Close()
	target, err := os.Create(spare)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	return decode(source, target, set)
}

// decode works chunk by chunk: the library first, and for a chunk in which it
// may have lost something, character by character.
func decode(source io.Reader, target io.Writer, set charset) (int64, error) {
	buffer, decoded := make([]byte, chunkBytes), make([]byte, 3*chunkBytes+utf8.UTFMax)
	var careful []byte
	kept, offset := 0, int64(0)
	for {
		n, err := io.ReadFull(source, buffer[kept:])
		part := buffer[:kept+n]
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return 0, err
		}
		written, read, err := set.bulk.Transform(decoded, part, last)
		if err != nil && !errors.Is(err, transform.ErrShortSrc) {
			return 0, err
		}
		text := decoded[:written]
		if bytes.Contains(text, replacement) || set.isPlain != nil && !set.isPlain(part[:read], text) {
			careful = careful[:0]
			for at := 0; at < read; {
				var size int
				if careful, size = set.one(careful, part[at:read]); size == 0 {
					return offset + int64(at), nil
				}
				at += size
			}
			text = careful
		}
		if _, err := target.Write(text); err != nil {
			return 0, err
		}
		offset += int64(read)
		if last {
			if read < len(part) {
				return offset, nil
			}
			return -1, nil
		}
		kept = copy(buffer, part[read:])
	}
}

var replacement = []byte(string(utf8.RuneError))

// utf16Charset reads UTF-16. Its byte order mark stays, as that of UTF-8 does.
func utf16Charset(isBig bool) charset {
	endian := unicode.LittleEndian
	if isBig {
		endian = unicode.BigEndian
	}
	unit := func(source []byte) rune {
		if isBig {
			return rune(source[0])<<8 | rune(source[1])
		}
		return rune(source[1])<<8 | rune(source[0])
	}
	return charset{
		name: "UTF-16",
		bulk: unicode.UTF16(endian, unicode.IgnoreBOM).NewDecoder(),
		one: func(target, source []byte) ([]byte, int) {
			if len(source) < 2 {
				return target, 0
			}
			char := unit(source)
			switch {
			case !utf16.IsSurrogate(char):
				return utf8.AppendRune(target, char), 2
			case len(source) < 4:
				return target, 0
			}
			if char = utf16.DecodeRune(char, unit(source[2:])); char == utf8.RuneError {
				return target, 0
			}
			return utf8.AppendRune(target, char), 4
		},
	}
}

// big5 reads Big5 as browsers do, which is code page 950 with the additions
// of Hong Kong; user-defined characters are refused, not guessed.
func big5() charset {
	library := traditionalchinese.Big5.NewDecoder()
	return charset{
		name: "CP950 (Big5)",
		bulk: library,
		one: func(target, source []byte) ([]byte, int) {
			size := 1
			if source[0] >= 0x80 {
				size = 2
			}
			if len(source) < size {
				return target, 0
			}
			char, err := library.Bytes(source[:size])
			if err != nil || bytes.Contains(char, replacement) {
				return target, 0
			}
			return append(target, slices.Clone(char)...), size
		},
	}
}
