package paper_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/paper"
)

func load(t testing.TB, path string) *paper.Engine {
	t.Helper()
	e, err := paper.Load(path, paper.Rules{Seed: 5, FundingRate: paper.DefaultFundingRate})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func dump(t testing.TB, e *paper.Engine) []byte {
	t.Helper()
	b, err := e.Dump()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func shut(t testing.TB, e *paper.Engine) {
	t.Helper()
	if err := e.Shut(); err != nil {
		t.Error(err)
	}
}

// moment is the state after something was answered, and how long the file was.
type moment struct {
	size  int64
	state []byte
}

// written is a small history in a file, with the moment after each answer.
func written(t *testing.T) (path string, moments []moment) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "paper.state")
	e := load(t, path)
	defer shut(t, e)
	note := func() {
		size, _ := e.FileSize()
		moments = append(moments, moment{size: size, state: dump(t, e)})
	}
	note()
	x := onEngine(t, e, 100_000)
	moments = append(moments[:1], moment{}) // the tick and the account have no moment of their own
	size, _ := e.FileSize()
	moments[1] = moment{size: size, state: dump(t, e)}
	trade := x.market(vigia.Long, 1000, 20)
	note()
	x.must(x.AddMargin(x.acc, trade.ID, 50_000))
	note()
	x.must(x.SetTrailingStop(x.acc, trade.ID, vigia.OnePercent))
	note()
	x.price(101_000)
	note()
	x.price(99_000)
	note()
	equal(t, "state", x.now(trade.ID).State, vigia.TradeClosed)
	return path, moments
}

// at is the last moment whose record is whole in a file of a length.
func at(moments []moment, length int64) *moment {
	var last *moment
	for i := range moments {
		if moments[i].size <= length {
			last = &moments[i]
		}
	}
	return last
}

func TestAFileCutAtAnyByteIsTheStateOfTheLastAnswer(t *testing.T) {
	t.Parallel()
	path, moments := written(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "length", int64(len(whole)), moments[len(moments)-1].size)
	cutPath := filepath.Join(t.TempDir(), "cut")
	for cut := moments[1].size; cut <= int64(len(whole)); cut++ {
		if err := os.WriteFile(cutPath, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		e := load(t, cutPath)
		if want := at(moments, cut); !bytes.Equal(dump(t, e), want.state) {
			t.Fatalf("cut at byte %d of %d:\ngot  %s\nwant %s", cut, len(whole), dump(t, e), want.state)
		}
		shut(t, e)
	}
	// What a file system leaves where nothing was written yet.
	if err := os.WriteFile(cutPath, append(bytes.Clone(whole), make([]byte, 4096)...), 0o600); err != nil {
		t.Fatal(err)
	}
	e := load(t, cutPath)
	defer shut(t, e)
	if !bytes.Equal(dump(t, e), moments[len(moments)-1].state) {
		t.Error("zeros at the end are taken for something")
	}
}

func TestDamageInTheMiddleIsRefusedWithItsPlaceAndTouchesNothing(t *testing.T) {
	t.Parallel()
	path, moments := written(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	from, to := moments[2].size, moments[3].size // one record in the middle
	for offset := from; offset < to; offset++ {
		damaged := bytes.Clone(whole)
		damaged[offset] ^= 0x10
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := paper.Load(path, paper.Rules{Seed: 5})
		var corrupt *paper.CorruptError
		if !errors.As(err, &corrupt) || corrupt.Offset != from {
			t.Fatalf("byte %d damaged: %v, want a CorruptError at %d", offset, err, from)
		}
		if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, damaged) {
			t.Fatalf("the damaged file was changed (%v)", err)
		}
	}
}

func TestTheFileIsOneProcessesAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "paper.state")
	e := load(t, path)
	if _, err := paper.Load(path, paper.Rules{}); err == nil {
		t.Error("two engines on one file")
	}
	shut(t, e)
	shut(t, e) // twice is once
	if _, err := e.NewAccount(1); err == nil {
		t.Error("a shut engine takes accounts")
	}
	shut(t, load(t, path))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "mode", info.Mode().Perm(), 0o600)
}

func TestFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	if _, err := paper.Load(filepath.Join(t.TempDir(), "missing", "paper.state"), paper.Rules{}); err == nil {
		t.Error("a file in no folder")
	}
	if _, err := paper.Load(t.TempDir(), paper.Rules{}); err == nil {
		t.Error("a folder")
	}
	path := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(path, []byte("time,open,high,low,close,volume\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var corrupt *paper.CorruptError
	if _, err := paper.Load(path, paper.Rules{}); !errors.As(err, &corrupt) || corrupt.Offset != 0 {
		t.Errorf("another kind of file: %v", err)
	}
	if _, err := paper.Load(filepath.Join(t.TempDir(), "x"), paper.Rules{KeepPostings: -1}); err == nil {
		t.Error("rules that cannot be")
	}
}

func TestTheRulesOfTheLastLoadCount(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "paper.state")
	e := load(t, path)
	x := onEngine(t, e, 100_000)
	trade := x.market(vigia.Long, 1000, 10)
	shut(t, e)
	for range 2 { // the change itself is kept too
		strict, err := paper.Load(path, paper.Rules{Cross: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := strict.Tick(vigia.Dollars(90_909), x.at.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		equal(t, "running when touched", len(strict.Running(x.acc)), 1)
		shut(t, strict)
	}
	e = load(t, path)
	defer shut(t, e)
	if err := e.Tick(vigia.Dollars(90_909), x.at.Add(2*time.Second)); err != nil {
		t.Fatal(err)
	}
	dead, _, _ := e.Trade(x.acc, trade.ID)
	equal(t, "with the touch back", dead.State, vigia.TradeClosed)
}

func TestADiskThatFailsStopsTheEngine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "paper.state")
	e := load(t, path)
	x := onEngine(t, e, 100_000)
	full := errors.New("no space left on device")
	e.OnSync(func(*os.File) error { return full })
	told := 0
	e.Listen(func(paper.Event) { told++ })
	order := paper.NewTrade{Side: vigia.Long, Quantity: 10, Leverage: vigia.OneX}
	for range 2 {
		if _, err := e.Open(x.acc, order); !errors.Is(err, full) {
			t.Errorf("got %v", err)
		}
	}
	if err := e.Tick(vigia.Dollars(100_001), x.at); err == nil {
		t.Error("the market goes on")
	}
	equal(t, "events of what is not on the disk", told, 0)
	shut(t, e)
}

// Random things are done, the file is written anew now and then, and it is cut
// at a random byte: what is loaded is the state at the last answer before it.
func TestACrashAtAnyMomentLosesNothingThatWasAnswered(t *testing.T) {
	t.Parallel()
	folder, round := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		path := filepath.Join(folder, strconv.Itoa(round))
		e, err := paper.Load(path, drawnRules(t))
		if err != nil {
			t.Fatal(err)
		}
		e.OnSync(func(*os.File) error { return nil })
		e.CompactAt(rapid.Int64Range(2_000, 20_000).Draw(t, "written anew from"))
		var moments []moment
		note := func() {
			size, base := e.FileSize()
			if len(moments) > 0 && size < moments[len(moments)-1].size || size == base {
				moments = nil
			}
			b, err := e.Dump()
			if err != nil {
				t.Fatal(err)
			}
			moments = append(moments, moment{size: size, state: b})
		}
		p := newPlayer(t, e)
		note()
		for range rapid.IntRange(1, 40).Draw(t, "acts") {
			p.act()
			note()
		}
		last := moments[len(moments)-1].size
		cut := rapid.Int64Range(moments[0].size, last).Draw(t, "cut at")
		if err := errors.Join(e.Shut(), os.Truncate(path, cut)); err != nil {
			t.Fatal(err)
		}
		again, err := paper.Load(path, e.Rules())
		if err != nil {
			t.Fatal(err)
		}
		got, err := again.Dump()
		if err != nil {
			t.Fatal(err)
		}
		if want := at(moments, cut); !bytes.Equal(got, want.state) {
			t.Fatalf("cut at %d of %d:\ngot  %s\nwant %s", cut, last, got, want.state)
		}
		if err := errors.Join(again.CheckLedger(), again.Shut()); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzLoad: whatever lies in a file, in frames or not, it is read or refused.
func FuzzLoad(f *testing.F) {
	fresh, err := paper.New(paper.Rules{}).Dump()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"op":"tick","price":60000,"at":"2026-03-01T00:00:00Z"}`), []byte(`{"op":"open"}`))
	f.Add([]byte(`{"op":"account","amount":5,"account":"a","keys":{"key":"k"}}`), []byte(`{"op":"rules","rules":{"keep_postings":-1}}`))
	f.Add([]byte(`{"op":"close"}`), []byte(`not JSON`))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		path := filepath.Join(t.TempDir(), "paper.state")
		framed := paper.Frames(fresh, one, two)
		for _, content := range [][]byte{framed, framed[:len(framed)-len(two)/2], append(bytes.Clone(one), two...)} {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if e, err := paper.Load(path, paper.Rules{}); err == nil {
				if err := errors.Join(e.CheckLedger(), e.Shut()); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
