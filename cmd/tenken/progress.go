package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/findings/sink/text"
	"sptr.jp/tenken/scanners"
)

// newProgress shows how a scan gets on: bars with an ETA on a terminal, structured logs otherwise. Close it at the end.
func newProgress(w io.Writer, format string) (p scanners.Progress, closeIt func()) {
	if f, ok := w.(*os.File); ok && format == "" && term.IsTerminal(int(f.Fd())) {
		b := &bars{w: f, p: mpb.New(mpb.WithOutput(f), mpb.WithWidth(40)), of: map[string]*mpb.Bar{}}
		return b, b.close
	}
	handler := slog.Handler(slog.NewTextHandler(w, nil))
	if format == "json" {
		handler = slog.NewJSONHandler(w, nil)
	}
	return logs{slog.New(handler)}, func() {}
}

// systemsOf counts the units of each system, and how many of them have ended.
func systemsOf(units []inventory.Unit) (names []string, planned, ended map[string]int) {
	planned, ended = map[string]int{}, map[string]int{}
	for i := range units {
		name := units[i].Scope.System
		if planned[name] == 0 {
			names = append(names, name)
		}
		planned[name]++
		if units[i].Outcome != "" {
			ended[name]++
		}
	}
	return names, planned, ended
}

// logs writes one line per system and per unit, and one for each operation of a unit that was not answered whole.
type logs struct{ l *slog.Logger }

func (l logs) Planned(units []inventory.Unit) {
	names, planned, ended := systemsOf(units)
	for _, n := range names {
		l.l.Info("planned", "system", n, "units", planned[n], "ended", ended[n])
	}
	for i := range units {
		if o := units[i].Outcome; o != "" && o != inventory.Complete {
			l.Done(&units[i])
		}
	}
}

func (l logs) Started(*inventory.Unit) {}

func (l logs) Done(u *inventory.Unit) {
	if u.Outcome == inventory.Complete {
		l.l.Info("read", "unit", u.ID, "outcome", string(u.Outcome))
		return
	}
	gaps := u.Gaps()
	if len(gaps) == 0 {
		l.l.Warn("not read whole", "unit", u.ID, "outcome", string(u.Outcome))
	}
	told := map[string]bool{} // many calls of one operation often fail alike
	for _, g := range gaps {
		if told[g.Operation+string(g.Reason)] {
			continue
		}
		told[g.Operation+string(g.Reason)] = true
		l.l.Warn("not read whole", "unit", u.ID, "outcome", string(u.Outcome), "operation", g.Operation, "reason", string(g.Reason),
			"permission", g.Permission, "detail", g.Detail)
	}
}

// bars is one bar per system, and at the end what was not read whole. The runner's calls never overlap.
type bars struct {
	w    io.Writer
	p    *mpb.Progress
	of   map[string]*mpb.Bar
	gaps []string
}

func (b *bars) Planned(units []inventory.Unit) {
	names, planned, ended := systemsOf(units)
	for _, n := range names {
		bar := b.p.AddBar(int64(planned[n]),
			mpb.PrependDecorators(decor.Name(fmt.Sprintf("%-20s", n)), decor.CountersNoUnit("%d / %d")),
			mpb.AppendDecorators(decor.Percentage(), decor.Name("  ETA "), decor.AverageETA(decor.ET_STYLE_GO)))
		bar.IncrBy(ended[n])
		b.of[n] = bar
	}
	for i := range units {
		if units[i].Outcome != "" {
			b.note(&units[i])
		}
	}
}

func (b *bars) note(u *inventory.Unit) {
	for _, g := range u.Gaps() {
		b.gaps = append(b.gaps, fmt.Sprintf("not read whole: %s: %s: %s", u.ID, g.Operation, reasonText(g)))
	}
}

func (b *bars) Started(*inventory.Unit) {}

func (b *bars) Done(u *inventory.Unit) {
	if bar := b.of[u.Scope.System]; bar != nil {
		bar.Increment()
	}
	b.note(u)
}

// mostGaps is how many gaps a terminal shows; findings.json has them all.
const mostGaps = 10

// close leaves unfinished bars as they stand: an interrupted scan must not wait for them.
func (b *bars) close() {
	for _, bar := range b.of {
		if !bar.Completed() {
			bar.Abort(false)
		}
	}
	b.p.Wait()
	for i, g := range b.gaps {
		if i == mostGaps {
			fmt.Fprintf(b.w, "… and %d more: see coverage.gaps of findings.json\n", len(b.gaps)-mostGaps)
			break
		}
		fmt.Fprintln(b.w, text.Clean(g))
	}
}
