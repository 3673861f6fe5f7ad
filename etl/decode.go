package etl

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

const chunkBytes = 1 << 20

// utf8File returns a file with the same text as path in UTF-8: path itself
// when it is valid UTF-8, else a decoded copy at spare. Nothing is replaced:
// bytes that are neither are an error with their offset.
func utf8File(path, spare, encoding string) (string, error) {
	bad := int64(-1)
	if encoding != "gb18030" {
		var err error
		if bad, err = firstInvalidUTF8(path); err != nil {
			return "", err
		}
		if bad < 0 {
			return path, nil
		}
		if encoding == "utf-8" {
			return "", &FileError{Where: fmt.Sprintf("byte %d", bad), What: "is not valid UTF-8",
				Do: "save it as UTF-8, or let the definition say encoding: auto or gb18030"}
		}
	}
	offset, err := decodeGB18030(path, spare)
	if err != nil {
		return "", err
	}
	if offset < 0 {
		return spare, nil
	}
	if bad >= 0 {
		return "", &FileError{Where: fmt.Sprintf("byte %d", offset),
			What: fmt.Sprintf("is neither UTF-8 (first wrong byte %d) nor GB18030", bad),
			Do:   "export it again; the file is damaged or in another encoding"}
	}
	return "", &FileError{Where: fmt.Sprintf("byte %d", offset), What: "is not valid GB18030", Do: "export it again; the file is damaged or in another encoding"}
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

// decodeGB18030 writes the text of path to spare in UTF-8. It returns the
// offset of the first bytes that stand for no character, -1 if all do. The
// library's decoder answers such bytes with U+FFFD and no error, so its output
// is searched for it; the four bytes that mean U+FFFD itself are allowed.
func decodeGB18030(path, spare string) (offset int64, err error) {
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
	decoded := simplifiedchinese.GB18030.NewDecoder().Reader(bufio.NewReaderSize(source, chunkBytes))
	replacement := []byte(string(utf8.RuneError))
	buffer := make([]byte, chunkBytes)
	kept, suspicious := 0, false
	for {
		n, err := decoded.Read(buffer[kept:])
		part := buffer[:kept+n]
		suspicious = suspicious || bytes.Contains(part, replacement)
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return 0, err
		}
		whole := len(part)
		if !last {
			whole = max(0, len(part)-len(replacement))
		}
		if _, err := target.Write(part[:whole]); err != nil {
			return 0, err
		}
		if last {
			break
		}
		kept = copy(buffer, part[whole:])
	}
	if !suspicious {
		return -1, nil
	}
	return firstInvalidGB18030(path)
}

// firstInvalidGB18030 walks the file character by character.
func firstInvalidGB18030(path string) (int64, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	decoder := simplifiedchinese.GB18030.NewDecoder()
	for i := 0; i < len(content); {
		size := gb18030Size(content[i:])
		if size > 1 {
			decoded, err := decoder.Bytes(content[i : i+size])
			if err != nil || bytes.ContainsRune(decoded, utf8.RuneError) && !bytes.Equal(content[i:i+size], []byte{0x84, 0x31, 0xa4, 0x37}) {
				return int64(i), nil
			}
		} else if size == 0 || content[i] >= 0x80 {
			return int64(i), nil
		}
		i += size
	}
	return -1, nil
}

// gb18030Size returns the length of the character that begins part by the
// standard's structure, 0 if none can.
func gb18030Size(part []byte) int {
	if part[0] < 0x80 {
		return 1
	}
	if part[0] == 0x80 || part[0] == 0xff || len(part) < 2 {
		return 0
	}
	if part[1] >= 0x40 && part[1] != 0x7f && part[1] != 0xff {
		return 2
	}
	if len(part) >= 4 && part[1] >= '0' && part[1] <= '9' && part[2] >= 0x81 && part[2] != 0xff && part[3] >= '0' && part[3] <= '9' {
		return 4
	}
	return 0
}
