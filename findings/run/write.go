package run

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"os"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"sptr.jp/tenken/findings/inventory"
)

// Writer writes one run, unit by unit. It is the journal of a scan: what it has committed survives a kill.
type Writer struct {
	path string // the final name; until Close the run stands in path+".part"

	mu        sync.Mutex
	f         *os.File
	zw        *zstd.Encoder
	root      hash.Hash
	units     int
	resources int
	done      map[string]inventory.Unit
}

const partSuffix = ".part"

// Create starts a run. It touches no finished run of the same name until Close replaces it; a run that was interrupted
// there is dropped.
func Create(path string, h Head) (*Writer, error) { return start(path, h, nil) }

// Resume goes on with the interrupted run of that name, if there is one with the same plan: its whole units are kept and
// Done gives them. Without one, or with one that was lost before its head was whole, it is Create.
func Resume(path string, h Head) (*Writer, Head, error) {
	old, err := Load(path + partSuffix)
	if damage := (*Error)(nil); errors.Is(err, os.ErrNotExist) || errors.As(err, &damage) && damage.headless {
		w, err := start(path, h, nil)
		return w, h, err
	}
	if err != nil {
		return nil, h, fmt.Errorf("the interrupted run can't be resumed, start again without --resume: %w", err)
	}
	if diff := planDiff(old.Head.Plan, h.Plan); diff != "" {
		return nil, h, fmt.Errorf("the plan is no longer that of the interrupted run (%s): start again without --resume", diff)
	}
	h.ID, h.Started = old.Head.ID, old.Head.Started
	w, err := start(path, h, old.Units)
	return w, h, err
}

func planDiff(old, now []string) string {
	in := make(map[string]bool, len(old))
	for _, id := range old {
		in[id] = true
	}
	for _, id := range now {
		if !in[id] {
			return id + " is new"
		}
		delete(in, id)
	}
	for _, id := range old {
		if in[id] {
			return id + " is gone"
		}
	}
	return ""
}

// start writes the head and the units kept from an earlier attempt to a new file, and puts it in place of the old part
// only when it is whole.
func start(path string, h Head, kept []inventory.Unit) (*Writer, error) {
	h.Format = Version
	tmp := path + partSuffix + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("creating the run file: %w", err)
	}
	zw, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting zstd: %w", err), f.Close())
	}
	w := &Writer{path: path, f: f, zw: zw, root: sha256.New(), done: map[string]inventory.Unit{}}
	head, err := json.Marshal(h)
	if err == nil {
		err = w.line(head)
	}
	for _, u := range kept {
		if err == nil {
			err = w.Commit(u)
			w.done[u.ID] = u
		}
	}
	if err == nil {
		err = f.Sync() // what takes the place of the old part must not be lost with the power
	}
	if err == nil {
		err = os.Rename(tmp, path+partSuffix)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the run file: %w", err), f.Close())
	}
	return w, nil
}

// line writes one line as a frame of its own, in one write.
func (w *Writer) line(b []byte) error {
	b = append(b, '\n')
	w.root.Write(b)
	_, err := w.f.Write(w.zw.EncodeAll(b, make([]byte, 0, len(b)/4)))
	return err
}

// Done gives a unit that an earlier attempt of this run committed.
func (w *Writer) Done(id string) (inventory.Unit, bool) {
	u, ok := w.done[id]
	return u, ok
}

// Commit writes a finished unit. It may be called from several goroutines.
func (w *Writer) Commit(u inventory.Unit) error {
	body, err := json.Marshal(u)
	if err != nil {
		return fmt.Errorf("encoding unit %s: %w", u.ID, err)
	}
	sum := sha256.Sum256(body)
	line := make([]byte, 0, len(body)+lineStart+1)
	line = append(line, linePrefix...)
	line = hex.AppendEncode(line, sum[:])
	line = append(line, lineMiddle...)
	line = append(append(line, body...), '}')
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.line(line); err != nil {
		return fmt.Errorf("writing unit %s to the run file: %w", u.ID, err)
	}
	w.units++
	w.resources += count(&u.Facts)
	return nil
}

// Close writes the foot and gives the run its name. Without it the run stays interrupted and can be resumed.
func (w *Writer) Close(finished time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	foot, err := json.Marshal(map[string]Foot{"foot": {
		Finished: finished, Units: w.units, Resources: w.resources, Root: hex.EncodeToString(w.root.Sum(nil)),
	}})
	if err == nil {
		err = w.line(foot)
	}
	err = errors.Join(err, w.f.Sync(), w.f.Close())
	if err == nil {
		err = os.Rename(w.path+partSuffix, w.path)
	}
	if err != nil {
		return fmt.Errorf("finishing the run file: %w", err)
	}
	return nil
}

// Abandon closes an interrupted run as it is.
func (w *Writer) Abandon() error { return w.f.Close() }
