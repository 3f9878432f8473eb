package replay

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/vigiaguard/vigia"
)

// Table lays out what trades have come to, one line each and a sum.
type Table struct {
	Title string
	Rows  []Row
}

// Row is one trade of a [Table].
type Row struct {
	Outcome
	// WithoutRule is what the same trade came to with no rule; Compared says that
	// it is known.
	WithoutRule vigia.Sats
	Compared    bool
}

// Against is what the rule changed: negative where it lost more.
func (r *Row) Against() vigia.Sats { return r.Net - r.WithoutRule }

// WriteTo prints the table for people: times are UTC, amounts are sats, "of
// margin" is in entry margins.
func (t *Table) WriteTo(w io.Writer) (int64, error) {
	var cells, laid strings.Builder
	line := func(row ...string) { cells.WriteString(strings.Join(row, "\t") + "\n") }
	line("trade", "opened", "entry", "end", "saved", "added", "still in", "P&L", "of margin", "against no rule")
	var sum Row
	for i := range t.Rows {
		r := &t.Rows[i]
		line(kind(&r.Trade), stamp(r.Trade.FilledAt), r.Trade.EntryPrice.Grouped(), r.end(), times(r.Saves),
			r.Added.Grouped(), r.StillIn.Grouped(), signed(r.Net), ofMargin(r.Net, r.Trade.EntryMargin), r.against())
		sum.add(r)
	}
	line("all", "", "", "", times(sum.Saves), sum.Added.Grouped(), sum.StillIn.Grouped(), signed(sum.Net),
		ofMargin(sum.Net, sum.Trade.EntryMargin), sum.against())
	columns := tabwriter.NewWriter(&laid, 0, 0, 2, ' ', 0)
	_, err := io.WriteString(columns, cells.String())
	if err = errors.Join(err, columns.Flush()); err != nil {
		return 0, fmt.Errorf("laying out the table: %w", err)
	}
	n, err := fmt.Fprintf(w, "%s\n%s", t.Title, trimmed(laid.String()))
	if err != nil {
		return int64(n), fmt.Errorf("writing the table: %w", err)
	}
	return int64(n), nil
}

// String is what WriteTo prints.
func (t *Table) String() string {
	var out strings.Builder
	if _, err := t.WriteTo(&out); err != nil {
		return err.Error()
	}
	return out.String()
}

func (r *Row) add(other *Row) {
	r.Saves += other.Saves
	r.Added += other.Added
	r.StillIn += other.StillIn
	r.Net += other.Net
	r.Trade.EntryMargin += other.Trade.EntryMargin
	r.WithoutRule += other.WithoutRule
	r.Compared = r.Compared || other.Compared
}

var ends = map[vigia.EndedBy]string{
	vigia.EndedLiquidated: "liquidated at",
	vigia.EndedStopped:    "stopped at",
	vigia.EndedTookProfit: "took profit at",
	vigia.EndedByUs:       "closed at",
	vigia.EndedByHand:     "closed by hand at",
}

// end is how and where it ended, or that it runs.
func (r *Row) end() string {
	if r.EndedBy == "" {
		return "runs"
	}
	return fmt.Sprintf("%s %s, %s", ends[r.EndedBy], r.Trade.ExitPrice.Grouped(), stamp(r.Trade.ClosedAt))
}

func (r *Row) against() string {
	switch {
	case !r.Compared:
		return ""
	case r.Against() < 0:
		return signed(r.Against()) + " (loses more)"
	}
	return signed(r.Against())
}

func kind(t *vigia.Trade) string {
	entered := vigia.LeverageOf(t.Quantity, t.EntryMargin, t.EntryPrice)
	return fmt.Sprintf("%s %d×", t.Side, (entered+vigia.OneX/2)/vigia.OneX)
}

func stamp(at time.Time) string { return at.UTC().Format("02 Jan 15:04") }

func times(n int) string { return fmt.Sprintf("%d×", n) }

func signed(s vigia.Sats) string {
	if s > 0 {
		return "+" + s.Grouped()
	}
	return s.Grouped()
}

// ofMargin is a result in entry margins, to the hundredth nearest to zero.
func ofMargin(net, margin vigia.Sats) string {
	if margin == 0 {
		return ""
	}
	hundredths := net * 100 / margin
	sign := "+"
	if hundredths < 0 {
		sign, hundredths = "-", -hundredths
	} else if hundredths == 0 {
		sign = ""
	}
	return fmt.Sprintf("%s%d.%02d", sign, hundredths/100, hundredths%100)
}

// trimmed takes out what pads the last column.
func trimmed(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
