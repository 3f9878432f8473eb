package paper_test

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

const header = "time,open,high,low,close,volume\n"

func drain(t *testing.T, s paper.Source) []paper.Point {
	t.Helper()
	var out []paper.Point
	for {
		p, err := s.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
}

func prices(points []paper.Point) []vigia.Price {
	var out []vigia.Price
	for _, p := range points {
		out = append(out, p.Price)
	}
	return out
}

func TestThePathInsideACandle(t *testing.T) {
	t.Parallel()
	fell := header + "2026-03-01T00:00:00Z,104,110,90,100,1\n"
	rose := "2026-03-01T00:00:00Z,100,110,90,104,1\n" // the header may be missing
	still := "2026-03-01T00:00:00Z,100,110,90,100,1\n"
	for _, c := range []struct {
		text string
		path paper.Path
		want [4]int64
	}{
		{fell, paper.PathByColour, [4]int64{104, 110, 90, 100}},
		{rose, paper.PathByColour, [4]int64{100, 90, 110, 104}},
		{still, paper.PathByColour, [4]int64{100, 90, 110, 100}},
		{fell, paper.PathReversed, [4]int64{104, 90, 110, 100}},
		{rose, paper.PathReversed, [4]int64{100, 110, 90, 104}},
		{fell, paper.PathLowFirst, [4]int64{104, 90, 110, 100}},
		{rose, paper.PathHighFirst, [4]int64{100, 110, 90, 104}},
	} {
		points := drain(t, paper.NewCandleSource(strings.NewReader(c.text), paper.CandleOptions{Path: c.path}))
		equal(t, "points", len(points), 4)
		for i, usd := range c.want {
			equal(t, "price", points[i].Price, vigia.Dollars(usd))
		}
		equal(t, "first", points[0].At, midnight)
		equal(t, "last", points[3].At, midnight.Add(time.Minute-time.Millisecond))
	}
}

func TestPricesArePutOnTheNearestHalfDollar(t *testing.T) {
	t.Parallel()
	s := paper.NewCandleSource(strings.NewReader("2023-03-01T00:00:00Z,23144.78,23152.48,23133.11,23143.72,3.912156\n"), paper.CandleOptions{})
	c, err := s.Candle()
	if err != nil {
		t.Fatal(err)
	}
	got := [4]vigia.Price{c.Open, c.High, c.Low, c.Close}
	equal(t, "prices", got, [4]vigia.Price{46_290, 46_305, 46_266, 46_287})
}

func TestBrokenCandlesNameTheirLine(t *testing.T) {
	t.Parallel()
	good := header + "2026-03-01T00:00:00Z,100,110,90,104,1\n2026-03-01T00:01:00Z,100,110,90,104,1\n"
	for _, c := range []struct{ row, want string }{
		{"2026-03-01T00:02:00Z,100,110,90,104", "line 4: 5 fields"},
		{"yesterday,100,110,90,104,1", `line 4: time "yesterday"`},
		{"2026-03-01T00:02:00Z,NaN,110,90,104,1", `line 4: open "NaN"`},
		{"2026-03-01T00:02:00Z,100,+Inf,90,104,1", `line 4: high "+Inf"`},
		{"2026-03-01T00:02:00Z,100,80,90,104,1", "line 4: high 80 is below low 90"},
		{"2026-03-01T00:02:00Z,120,110,90,104,1", "line 4: open 120 is not between"},
		{"2026-03-01T00:02:00Z,100,110,90,80,1", "line 4: close 80 is not between"},
		{"2026-03-01T00:02:00Z,100,110,0.2,104,1", "line 4: low 0.2"},
		{"2026-03-01T00:02:00Z,100,1e9,90,104,1", "line 4: high 1e9"},
		{"2026-03-01T00:02:00Z,100,110,90,104,-1", "line 4: volume -1"},
		{"2026-03-01T00:02:00Z,100,110,90,104,lots", `line 4: volume "lots"`},
		{"2026-03-01T00:01:00Z,100,110,90,104,1", "line 4: time goes back"},
		{"2026-03-01T00:00:30Z,100,110,90,104,1", "line 4: time goes back"},
		{"2026-03-01T00:01:30Z,100,110,90,104,1", "line 4: 2026-03-01T00:01:30Z comes 30s after"},
		{strings.Repeat("9", 70_000), "line 4:"},
	} {
		s := paper.NewCandleSource(strings.NewReader(good+c.row+"\n"), paper.CandleOptions{})
		var err error
		for err == nil {
			_, err = s.Next()
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %q, want %q in it", err, c.want)
		}
	}
}

func TestGapsAreReportedAndStrictlyRefused(t *testing.T) {
	t.Parallel()
	text := header + "2026-03-01T00:00:00Z,100,110,90,104,1\n2026-03-01T00:01:00Z,100,110,90,104,1\n\n2026-03-01T00:05:00Z,100,110,90,104,1\n"
	s := paper.NewCandleSource(strings.NewReader(text), paper.CandleOptions{})
	equal(t, "points", len(drain(t, s)), 12)
	equal(t, "gaps", len(s.Gaps()), 1)
	equal(t, "gap", s.Gaps()[0], paper.Gap{From: midnight.Add(time.Minute), To: midnight.Add(5 * time.Minute), Line: 5})

	strict := paper.NewCandleSource(strings.NewReader(text), paper.CandleOptions{Strict: true})
	var err error
	for err == nil {
		_, err = strict.Candle()
	}
	if want := "line 5: gap of 3m0s"; !strings.Contains(err.Error(), want) {
		t.Errorf("got %q, want %q in it", err, want)
	}
	days := paper.NewCandleSource(strings.NewReader("2026-03-01T00:00:00Z,100,110,90,104,1\n2026-03-03T00:00:00Z,100,110,90,104,1\n"),
		paper.CandleOptions{Interval: 24 * time.Hour})
	drain(t, days)
	equal(t, "gaps of days", len(days.Gaps()), 1)
}

func TestCandlesFromAFilePackedOrNot(t *testing.T) {
	t.Parallel()
	text := header + "2026-03-01T00:00:00Z,100,110,90,104,1\n"
	plain, packed := filepath.Join(t.TempDir(), "a.csv"), filepath.Join(t.TempDir(), "a.csv.gz")
	var b strings.Builder
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string]string{plain: text, packed: b.String()} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := paper.OpenCandles(path, paper.CandleOptions{})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, path, len(drain(t, s)), 4)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := os.WriteFile(packed, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{packed, plain + ".missing"} {
		if _, err := paper.OpenCandles(path, paper.CandleOptions{}); err == nil {
			t.Errorf("%s was opened", path)
		}
	}
}

func TestWalkingGoesByHalfDollarsAndArrives(t *testing.T) {
	t.Parallel()
	points := []paper.Point{
		{Price: 200, At: midnight}, {Price: 204, At: midnight.Add(4 * time.Second)},
		{Price: 204, At: midnight.Add(5 * time.Second)}, {Price: 201, At: midnight.Add(8 * time.Second)},
	}
	got := drain(t, paper.HalfDollars(paper.Points(points...)))
	want := []vigia.Price{200, 201, 202, 203, 204, 204, 203, 202, 201}
	if !slices.Equal(prices(got), want) {
		t.Errorf("got  %v\nwant %v", prices(got), want)
	}
	equal(t, "between", got[2].At, midnight.Add(2*time.Second))
	equal(t, "the end", got[len(got)-1], points[3])
	for i := 1; i < len(got); i++ {
		if got[i].At.Before(got[i-1].At) {
			t.Errorf("time goes back at %d", i)
		}
	}
}

func TestPlayEndsWithTheSourceOrTheFirstError(t *testing.T) {
	t.Parallel()
	e := paper.New(fees)
	points := []paper.Point{{Price: 200, At: midnight}, {Price: 202, At: midnight.Add(time.Second)}}
	seen := 0
	err := paper.Play(e, paper.Points(points...), func(p paper.Point) error {
		seen++
		equal(t, "last", e.Last(), p.Price)
		return nil
	})
	if err != nil || seen != 2 {
		t.Errorf("%d points, %v", seen, err)
	}
	if err := paper.Play(e, paper.Points(points...), nil); err == nil {
		t.Error("the times went back")
	}
	broken := paper.NewCandleSource(strings.NewReader("?\n"), paper.CandleOptions{})
	if err := paper.Play(e, broken, nil); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("got %v", err)
	}
	stop := errors.New("enough")
	later := paper.Points(paper.Point{Price: 200, At: midnight.Add(time.Hour)})
	if err := paper.Play(e, later, func(paper.Point) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

// FuzzCandles: whatever the text, points lie on the grid, their times do not go
// back, and an error names a line.
func FuzzCandles(f *testing.F) {
	f.Add(header + "2026-03-01T00:00:00Z,100,110,90,104,1\n2026-03-01T00:01:00Z,100,110.3,90,104,1e3\n")
	f.Add("2026-03-01T00:00:00+14:00,100,110,90,104,1\n2026-03-02T00:00:00Z,1,1,1,1,0")
	f.Add("0000-01-01T00:00:00Z,0x1p4,1_0,NaN,-1,\n")
	f.Fuzz(func(t *testing.T, text string) {
		s := paper.NewCandleSource(strings.NewReader(text), paper.CandleOptions{})
		last := time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)
		for {
			p, err := s.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				if !strings.HasPrefix(err.Error(), "line ") {
					t.Fatalf("no line in %q", err)
				}
				return
			}
			if !p.Price.Valid() || p.At.Before(last) {
				t.Fatalf("point %v after %s", p, last)
			}
			last = p.At
		}
	})
}
