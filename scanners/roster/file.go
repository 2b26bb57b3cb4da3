package roster

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"

	"sptr.jp/tenken/findings/inventory"
)

// readFile reads a regular file, through links, up to a size. What is no regular file is not opened: a pipe would never
// end.
func readFile(name string, most int) (raw []byte, modified time.Time, wrong *failure) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, modified, unreadable(err)
	}
	if !info.Mode().IsRegular() {
		return nil, modified, fail(inventory.NotConfigured, "it is no regular file; name the CSV file itself under file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, modified, unreadable(err)
	}
	defer f.Close()
	raw, err = io.ReadAll(io.LimitReader(f, int64(most)+1))
	switch {
	case err != nil:
		return nil, modified, unreadable(err)
	case len(raw) > most:
		return nil, modified, fail(inventory.TooLarge, "it is larger than %d MiB; export people only, one row each", most>>20)
	}
	return raw, info.ModTime(), nil
}

func unreadable(err error) *failure {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail(inventory.NotConfigured, "there is no such file; put the export there, or correct file in tenken.yaml")
	case errors.Is(err, fs.ErrPermission):
		return fail(inventory.AccessDenied, "this user may not read it; grant it the right to read the file")
	}
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err // the path may be long, and is known
	}
	return fail(inventory.NotConfigured, "it can't be read (%v); correct file in tenken.yaml", err)
}

// decoders turn a file's bytes into UTF-8, by the name of the encoding.
var decoders = map[string]func([]byte) ([]byte, *failure){"": auto, "auto": auto, "utf-8": utf8Text, "shift_jis": shiftJIS}

var byteOrderMark = []byte("\ufeff")

// auto tells the encodings apart. Text that is valid UTF-8 is UTF-8, with one exception: pairs of half-width katakana in
// Shift_JIS look like the two-byte letters of UTF-8 (Latin, Greek, Cyrillic …), so that when there is nothing else to
// tell by, both are possible.
func auto(raw []byte) ([]byte, *failure) {
	if bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff")) {
		return nil, fail(inventory.DecodeError, "it is UTF-16; save it as CSV UTF-8")
	}
	if bytes.HasPrefix(raw, byteOrderMark) {
		return utf8Text(raw)
	}
	text, notUTF8 := utf8Text(raw)
	if notUTF8 == nil && (isASCII(raw) || longest(raw) > 2) {
		return text, nil
	}
	other, notShiftJIS := shiftJIS(raw)
	switch {
	case notUTF8 == nil && notShiftJIS == nil:
		return nil, fail(inventory.DecodeError, "it may be UTF-8 or Shift_JIS; say which with encoding")
	case notUTF8 == nil:
		return text, nil
	case notShiftJIS == nil:
		return other, nil
	}
	return nil, fail(inventory.DecodeError, "it is neither UTF-8 (%s) nor Shift_JIS (%s); save it as CSV UTF-8",
		notUTF8.detail, notShiftJIS.detail)
}

func utf8Text(raw []byte) ([]byte, *failure) {
	text := bytes.TrimPrefix(raw, byteOrderMark)
	for at := 0; at < len(text); {
		r, n := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && n == 1 {
			return nil, fail(inventory.DecodeError, "line %d: byte 0x%02x is not UTF-8", lineAt(text, at), text[at])
		}
		at += n
	}
	return text, nil
}

// shiftJIS decodes CP932. The decoder writes the replacement character for what it can't read, and nothing in Shift_JIS
// stands for that character.
func shiftJIS(raw []byte) ([]byte, *failure) {
	text, err := japanese.ShiftJIS.NewDecoder().Bytes(raw)
	if err != nil {
		return nil, fail(inventory.DecodeError, "it is not Shift_JIS")
	}
	if at := bytes.IndexRune(text, utf8.RuneError); at >= 0 {
		return nil, fail(inventory.DecodeError, "line %d: a byte is not Shift_JIS", lineAt(text, at))
	}
	return text, nil
}

// lineAt is the line of a byte. A line ends in \n, \r or \r\n.
func lineAt(text []byte, at int) int {
	return 1 + bytes.Count(endLines(text[:at]), []byte("\n"))
}

// endLines makes every end of a line \n.
func endLines(text []byte) []byte {
	if !bytes.Contains(text, []byte("\r")) {
		return text
	}
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// longest is the length of the longest character of a valid UTF-8 text.
func longest(b []byte) (n int) {
	for len(b) > 0 {
		_, size := utf8.DecodeRune(b)
		n = max(n, size)
		b = b[size:]
	}
	return n
}
