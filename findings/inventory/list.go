package inventory

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// List is a list that may have an unread tail: its last page did not say that it was the last.
//
// The zero List is empty and open: nothing is in hand and nothing is proven. Items in hand are facts either way, so a
// rule may fail on one of them; only a closed list proves that there is no other.
type List[T any] struct {
	Items  []T
	closed bool
	r      ReadID
}

// Closed is a whole list: read r said that nothing follows.
func Closed[T any](items []T, r ReadID) List[T] { return List[T]{Items: items, closed: true, r: r} }

// Open is the part of a list that was read before read r failed, or before it stopped short.
func Open[T any](items []T, r ReadID) List[T] { return List[T]{Items: items, r: r} }

// IsOpen reports an unread tail.
func (l List[T]) IsOpen() bool { return !l.closed }

// Read names the call that closed the list, or that left it open.
func (l List[T]) Read() ReadID { return l.r }

// IsZero lets `json:",omitzero"` leave out what no scanner filled.
func (l List[T]) IsZero() bool { return !l.closed && l.r == 0 && l.Items == nil }

// MarshalJSON writes a closed list as [read, items] and an open one as {"read":…,"items":…}.
func (l List[T]) MarshalJSON() ([]byte, error) {
	items := []byte("[]")
	if len(l.Items) > 0 {
		var err error
		if items, err = json.Marshal(l.Items); err != nil {
			return nil, fmt.Errorf("encoding a list: %w", err)
		}
	}
	if !l.closed {
		return fmt.Appendf(nil, `{"read":%d,"items":%s}`, l.r, items), nil
	}
	b := append(make([]byte, 0, len(items)+8), '[')
	b = strconv.AppendUint(b, uint64(l.r), 10)
	b = append(append(b, ','), items...)
	return append(b, ']'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote and refuses everything else.
func (l *List[T]) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		var open struct {
			Read  ReadID `json:"read"`
			Items []T    `json:"items"`
		}
		if err := json.Unmarshal(b, &open); err != nil {
			return fmt.Errorf("open list: %w", err)
		}
		*l = Open(open.Items, open.Read)
		return nil
	}
	r, rest, err := splitRead(b)
	if err != nil || rest == nil {
		return fmt.Errorf("%.40q is not a list", b)
	}
	var items []T
	if err := json.Unmarshal(rest, &items); err != nil {
		return fmt.Errorf("list %.40q: %w", rest, err)
	}
	*l = Closed(items, r)
	return nil
}
