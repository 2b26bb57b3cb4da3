package run

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"

	"sptr.jp/tenken/findings/inventory"
)

// maxLine bounds one line, uncompressed: a unit beyond it is no unit.
const maxLine = 1 << 30

// A unit's line is `{"sha256":"<64 hex>","unit":<JSON>}`, in exactly this form.
const (
	linePrefix = `{"sha256":"`
	lineMiddle = `","unit":`
	lineStart  = len(linePrefix) + 64 + len(lineMiddle)
)

// Load reads a finished or interrupted run. A damaged file gives an *Error that names the line; a torn last line of an
// interrupted run is not damage.
func Load(path string) (*Run, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the saved run: %w", err)
	}
	defer f.Close()
	return read(path, f)
}

// magic begins every frame of zstd.
var magic = []byte{0x28, 0xb5, 0x2f, 0xfd}

func read(path string, f io.Reader) (*Run, error) {
	file := bufio.NewReader(f)
	if begin, err := file.Peek(len(magic)); !bytes.HasPrefix(magic, begin) && (err == nil || errors.Is(err, io.EOF)) {
		return nil, &Error{File: path, Line: 1, What: foreign}
	}
	in, err := newLines(file)
	if err != nil {
		return nil, err
	}
	defer in.zr.Close()
	fail := func(format string, args ...any) error {
		return &Error{File: path, Line: in.num, What: fmt.Sprintf(format, args...)}
	}
	r := &Run{}
	root := sha256.New()
	seen := map[string]bool{}
	for {
		line, err := in.next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, errTorn):
			if in.num == 1 {
				return nil, &Error{path, 1, "there is no whole head: this is not a run of tenken, or it ended before its plan was made; start the scan again", true}
			}
			return r, nil
		case err != nil:
			return nil, fail("%v", err)
		case r.Foot != nil:
			return nil, fail("something follows the foot")
		case in.num == 1:
			if r.Head, err = parseHead(line); err != nil {
				return nil, fail("%v", err)
			}
		case bytes.HasPrefix(line, []byte(`{"foot":`)):
			if r.Foot, err = parseFoot(line, r, root); err != nil {
				return nil, fail("%v", err)
			}
		default:
			var u inventory.Unit
			if err := parseUnit(line, &u); err != nil {
				return nil, fail("%v", err)
			}
			if seen[u.ID] {
				return nil, fail("unit %s stands here a second time", u.ID)
			}
			seen[u.ID] = true
			r.Units = append(r.Units, u)
		}
		root.Write(line)
	}
}

const foreign = "this is not a run of tenken: name a file run.tenken that `tenken scan` wrote"

func parseHead(line []byte) (Head, error) {
	var h Head
	var only struct {
		Format string `json:"tenken_run"`
	}
	if json.Unmarshal(line, &only) != nil || only.Format == "" {
		return h, errors.New(foreign)
	}
	// The format comes first: a head of another one has other keys.
	major, _, _ := strings.Cut(only.Format, ".")
	ours, _, _ := strings.Cut(Version, ".")
	if major != ours {
		return h, fmt.Errorf("the run has format %q and this version of tenken reads %s.x: use a version that wrote it", only.Format, ours)
	}
	if err := strict(line, &h); err != nil {
		return h, fmt.Errorf("the head: %w", err)
	}
	return h, nil
}

func parseFoot(line []byte, r *Run, root hash.Hash) (*Foot, error) {
	var wrap struct {
		Foot Foot `json:"foot"`
	}
	if err := strict(line, &wrap); err != nil {
		return nil, fmt.Errorf("the foot: %w", err)
	}
	resources := 0
	for i := range r.Units {
		resources += count(&r.Units[i].Facts)
	}
	switch {
	case wrap.Foot.Units != len(r.Units):
		return nil, fmt.Errorf("the foot counts %d units and %d stand here", wrap.Foot.Units, len(r.Units))
	case wrap.Foot.Resources != resources:
		return nil, fmt.Errorf("the foot counts %d resources and %d stand here", wrap.Foot.Resources, resources)
	case wrap.Foot.Root != hex.EncodeToString(root.Sum(nil)):
		return nil, errors.New("the root hash does not fit: the file was changed")
	}
	return &wrap.Foot, nil
}

func parseUnit(line []byte, u *inventory.Unit) error {
	line = bytes.TrimSuffix(line, []byte("\n"))
	if len(line) <= lineStart || line[len(line)-1] != '}' || !bytes.HasPrefix(line, []byte(linePrefix)) ||
		string(line[lineStart-len(lineMiddle):lineStart]) != lineMiddle {
		return errors.New("this is no unit")
	}
	body := line[lineStart : len(line)-1]
	sum := sha256.Sum256(body)
	if hex.EncodeToString(sum[:]) != string(line[len(linePrefix):len(linePrefix)+64]) {
		return errors.New("the unit's hash does not fit: the file was changed or damaged")
	}
	if err := json.Unmarshal(body, u); err != nil {
		return fmt.Errorf("the unit can't be decoded: %w", err)
	}
	u.Compact()
	return nil
}

func strict(line []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// errTorn says that the file ends within a line: the run was killed while it wrote.
var errTorn = errors.New("the file ends within a line")

// lines unpacks a run file line by line.
type lines struct {
	zr  *zstd.Decoder
	br  *bufio.Reader
	num int // of the line that was returned last
}

func newLines(f io.Reader) (*lines, error) {
	zr, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<27))
	if err != nil {
		return nil, fmt.Errorf("starting zstd: %w", err)
	}
	return &lines{zr: zr, br: bufio.NewReaderSize(zr, 1<<20)}, nil
}

// next returns the next line with its newline; the slice is its reader's own.
func (l *lines) next() ([]byte, error) {
	l.num++
	var line []byte
	for {
		part, err := l.br.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, bufio.ErrBufferFull) && len(line) < maxLine:
			continue
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("the line is longer than %d bytes", maxLine)
		case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF) && len(line) > 0:
			return nil, errTorn
		case errors.Is(err, io.EOF):
			return nil, io.EOF
		}
		return nil, fmt.Errorf("the file is damaged here: %w", err)
	}
}
