package inventory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

type state uint8

const (
	unknown state = iota
	known
	absent
)

// Val is a value that may decide a verdict: known, known to be absent, or unknown with a reason.
//
// The zero Val is unknown, so that a field which a scanner forgot can't look like "secure". The ReadID names the call
// that gave the value or failed to, as an index into Unit.Reads of the unit that holds the resource.
type Val[T any] struct {
	v T
	s state
	r ReadID
}

// Known is a value in hand, given by read r.
func Known[T any](v T, r ReadID) Val[T] { return Val[T]{v: v, s: known, r: r} }

// Absent says that read r answered, and that its answer proves that there is no value.
// It is not for a field which an answer happens to lack: that is Unknown (see Ptr).
func Absent[T any](r ReadID) Val[T] { return Val[T]{s: absent, r: r} }

// Unknown says that read r should have given the value and did not: it failed, or its answer did not hold the value.
func Unknown[T any](r ReadID) Val[T] { return Val[T]{r: r} }

// Ptr is Known(*p), or unknown when p is nil: the deciding field was not in the answer of read r, and a missing field is
// no proof.
func Ptr[T any](p *T, r ReadID) Val[T] {
	if p == nil {
		return Unknown[T](r)
	}
	return Known(*p, r)
}

// Optional is Known(*p), or Absent when p is nil: for fields whose documentation says that a missing one means "none".
func Optional[T any](p *T, r ReadID) Val[T] {
	if p == nil {
		return Absent[T](r)
	}
	return Known(*p, r)
}

// Get returns the value and true if it is known.
func (v Val[T]) Get() (T, bool) { return v.v, v.s == known }

// Or returns the value if it is known, else d. It is for texts and addresses, never for what decides a verdict.
func (v Val[T]) Or(d T) T {
	if v.s == known {
		return v.v
	}
	return d
}

// IsUnknown reports that the value could not be read.
func (v Val[T]) IsUnknown() bool { return v.s == unknown }

// IsAbsent reports that there is no value, proven by an answer.
func (v Val[T]) IsAbsent() bool { return v.s == absent }

// Read names the call that decided the state of the value.
func (v Val[T]) Read() ReadID { return v.r }

// IsZero lets `json:",omitzero"` leave out what no scanner filled.
func (v Val[T]) IsZero() bool { return v.s == unknown && v.r == 0 }

// MarshalJSON writes known as [read, value], absent as [read] and unknown as the bare read.
func (v Val[T]) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 24)
	switch v.s {
	case unknown:
		return strconv.AppendUint(b, uint64(v.r), 10), nil
	case absent:
		b = append(b, '[')
		b = strconv.AppendUint(b, uint64(v.r), 10)
		return append(b, ']'), nil
	}
	j, err := json.Marshal(v.v)
	if err != nil {
		return nil, fmt.Errorf("encoding a value: %w", err)
	}
	b = append(b, '[')
	b = strconv.AppendUint(b, uint64(v.r), 10)
	b = append(b, ',')
	b = append(b, j...)
	return append(b, ']'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote and refuses everything else.
func (v *Val[T]) UnmarshalJSON(b []byte) error {
	r, rest, err := splitRead(b)
	if err != nil {
		return err
	}
	switch {
	case b[0] != '[':
		*v = Unknown[T](r)
	case rest == nil:
		*v = Absent[T](r)
	default:
		var t T
		if err := json.Unmarshal(rest, &t); err != nil {
			return fmt.Errorf("value %.40q: %w", rest, err)
		}
		*v = Known(t, r)
	}
	return nil
}

// splitRead cuts `7`, `[7]` or `[7,REST]` into the read and the rest.
func splitRead(b []byte) (ReadID, []byte, error) {
	digits, rest := b, []byte(nil)
	if len(b) > 2 && b[0] == '[' && b[len(b)-1] == ']' {
		digits = b[1 : len(b)-1]
		if i := bytes.IndexByte(digits, ','); i >= 0 {
			digits, rest = digits[:i], digits[i+1:]
		}
	}
	n, err := strconv.ParseUint(string(digits), 10, 16)
	if err != nil {
		return 0, nil, fmt.Errorf("%.40q is not [read], [read,value] or a read", b)
	}
	return ReadID(n), rest, nil
}
