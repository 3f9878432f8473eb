package notify_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/vigiaguard/vigia"
	"github.com/vigiaguard/vigia/notify"
)

var update = flag.Bool("update", false, "write the golden files")

// usual is the trade of the product's worked example.
var usual = vigia.EventData{
	AccountLabel: "savings", Network: vigia.Mainnet, Automation: "standard", Side: vigia.Long, Quantity: 1_000,
	Last: vigia.Dollars(96_000), LiquidationBefore: vigia.Dollars(95_238), LiquidationAfter: vigia.Dollars(86_400),
	Amount: 107_408, Cost: 107_520, Held: vigia.Dollars(81_250), Reason: vigia.ReasonTrigger, Action: vigia.ActionAddMargin,
}

func with(change func(*vigia.EventData)) vigia.EventData {
	d := usual
	change(&d)
	return d
}

// told is one golden file each.
var told = map[string]vigia.Event{
	"rescued": {Kind: vigia.EventRescued, Level: vigia.LevelWarning, Facts: usual},
	"rescued_short": {Kind: vigia.EventRescued, Level: vigia.LevelWarning, Facts: with(func(d *vigia.EventData) {
		d.Side, d.AccountLabel, d.Network = vigia.Short, "demo", vigia.Paper
		d.Last, d.LiquidationBefore, d.LiquidationAfter, d.Held = vigia.Dollars(104_000), vigia.Dollars(105_000)+1, vigia.NeverPrice, vigia.Dollars(140_000)
	})},
	"rescued_cross": {Kind: vigia.EventRescued, Level: vigia.LevelWarning, Subject: vigia.CrossSubject(), Facts: vigia.EventData{AccountLabel: "savings", Network: vigia.Signet, Amount: 1}},
	"closed": {Kind: vigia.EventClosed, Level: vigia.LevelCritical, Facts: with(func(d *vigia.EventData) {
		d.Reason, d.PL, d.Action = vigia.ReasonShortClose, -41_667, vigia.ActionClose
	})},
	"failed": {Kind: vigia.EventFailed, Level: vigia.LevelCritical, Facts: with(func(d *vigia.EventData) {
		d.Detail, d.LiquidationAfter, d.Reason = "the exchange answered 400: insufficient balance", 0, ""
	})},
	"failed_stop": {Kind: vigia.EventFailed, Level: vigia.LevelCritical, Facts: with(func(d *vigia.EventData) {
		d.Action, d.Stop, d.LiquidationAfter, d.Reason = vigia.ActionSetStop, vigia.Dollars(97_000), 0, ""
	})},
	"unknown":       {Kind: vigia.EventUnknown, Level: vigia.LevelCritical, Facts: with(func(d *vigia.EventData) { d.Detail = "time-out after 3 s" })},
	"settled_late":  {Kind: vigia.EventSettled, Level: vigia.LevelInfo, Facts: with(func(d *vigia.EventData) { d.Detail = "it was done" })},
	"dry_run_fired": {Kind: vigia.EventDryRun, Level: vigia.LevelCritical, Facts: with(func(d *vigia.EventData) { d.DryRun = true })},
	"dry_run_close": {Kind: vigia.EventDryRun, Level: vigia.LevelCritical, Facts: with(func(d *vigia.EventData) {
		d.DryRun, d.Action, d.Amount = true, vigia.ActionClose, 0
	})},
	"dry_run_ended": {Kind: vigia.EventDryEnded, Level: vigia.LevelWarning, Facts: with(func(d *vigia.EventData) {
		d.DryRun, d.Action = true, vigia.ActionNotify
	})},
	"stop_set": {Kind: vigia.EventStopSet, Level: vigia.LevelInfo, Facts: with(func(d *vigia.EventData) {
		d.Stop, d.Reason = vigia.Dollars(97_182)+1, vigia.ReasonCoverMissing
	})},
	"stop_removed": {Kind: vigia.EventStopRemoved, Level: vigia.LevelInfo, Facts: with(func(d *vigia.EventData) {
		d.Stop, d.Reason = vigia.Dollars(97_182), vigia.ReasonCoverReturned
	})},
	"limit_reached":   {Kind: vigia.EventLimit, Level: vigia.LevelCritical, Facts: with(func(d *vigia.EventData) { d.LiquidationAfter = 0; d.Detail = "100,000 sats a day" })},
	"true_when_armed": {Kind: vigia.EventTrueWhen, Level: vigia.LevelCritical, Facts: with(func(d *vigia.EventData) { d.LiquidationAfter = 0 })},
	"unprotected": {Kind: vigia.EventUnprotected, Level: vigia.LevelCritical, Facts: with(func(d *vigia.EventData) {
		d.Reason, d.LiquidationAfter, d.Detail = "", 0, "the automation only runs dry"
	})},
	"vanished": {Kind: vigia.EventVanished, Level: vigia.LevelCritical, Facts: with(func(d *vigia.EventData) {
		d.Detail, d.PL = "it was closed at $96,010", -4_123
	})},
	"blind":         {Kind: vigia.EventBlind, Level: vigia.LevelCritical, Facts: vigia.EventData{Detail: "the last price is 16 s old"}},
	"sighted":       {Kind: vigia.EventSighted, Level: vigia.LevelInfo, Facts: vigia.EventData{Last: vigia.Dollars(96_000), Detail: "after 2 min 4 s"}},
	"key_refused":   {Kind: vigia.EventKeyRefused, Level: vigia.LevelCritical, Facts: vigia.EventData{AccountLabel: "savings", Detail: "401 Unauthorized"}},
	"clock_off":     {Kind: vigia.EventClock, Level: vigia.LevelWarning, Facts: vigia.EventData{Detail: "61 s ahead"}},
	"stopped":       {Kind: vigia.EventStopped, Level: vigia.LevelCritical, Facts: vigia.EventData{AccountLabel: "savings", Detail: "until 2026-01-03 00:00 UTC"}},
	"stopped_all":   {Kind: vigia.EventStopped, Level: vigia.LevelCritical},
	"halted":        {Kind: vigia.EventHalted, Level: vigia.LevelCritical, Facts: vigia.EventData{Detail: "/var/lib/vigia/halt"}},
	"proved":        {Kind: vigia.EventProved, Level: vigia.LevelInfo, Facts: with(func(d *vigia.EventData) { d.Detail = "212 ms from the request to the answer" })},
	"store_down":    {Kind: vigia.EventStore, Level: vigia.LevelCritical, Facts: vigia.EventData{Detail: "no space left on device"}},
	"machine_slept": {Kind: vigia.EventSlept, Level: vigia.LevelCritical, Facts: vigia.EventData{Detail: "for 7 h 12 min"}},
	"step_notified": {Kind: vigia.EventNotify, Level: vigia.LevelWarning, Facts: usual},
	"kind_to_come":  {Kind: "moon_landed", Level: vigia.LevelWarning, Facts: usual},
	"bare_facts":    {Kind: vigia.EventRescued},
}

// written is a message as a person gets it, with its level.
func written(m notify.Message) string {
	return fmt.Sprintf("level: %s\ntitle: %s\n\n%s\n", m.Level, m.Subject(), m.Body())
}

func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, []byte(text)) {
		t.Errorf("%s is said otherwise than in its golden file (-update writes it):\n%s", name, text)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for name, e := range told {
		e.At = epoch
		golden(t, name, written(notify.Words(&e)))
	}
	golden(t, "store_back", written(notify.StoreBack(epoch, epoch.Add(-5*time.Minute))))
	golden(t, "trial", written(notify.Trial(epoch)))
	many := notify.Words(&vigia.Event{Kind: vigia.EventBlind, Level: vigia.LevelCritical, At: epoch})
	many.More, many.Since = 12, epoch.Add(-time.Minute)
	golden(t, "and_12_more", written(many))
}

func TestNoGoldenFileIsLeftOver(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".golden")
		if _, ok := told[name]; !ok && !slices.Contains([]string{"store_back", "trial", "and_12_more", "backlog"}, name) {
			t.Errorf("%s is the golden file of nothing", file)
		}
	}
}

// Whoever adds a kind of event to the vocabulary adds its words here.
func TestEveryKindHasWords(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../journal.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	kinds := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Event") || len(spec.Values) == 0 {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		kinds++
		m := notify.Words(&vigia.Event{Kind: vigia.EventKind(text)})
		if strings.Contains(m.Happened, "no words for") {
			t.Errorf("%s has no words", spec.Names[0].Name)
		}
		if !slices.ContainsFunc(slices.Collect(mapsValues(told)), func(e vigia.Event) bool { return e.Kind == vigia.EventKind(text) }) {
			t.Errorf("%s has no golden file", spec.Names[0].Name)
		}
		return true
	})
	if kinds == 0 {
		t.Error("no kinds were found")
	}
}

func mapsValues(m map[string]vigia.Event) func(func(vigia.Event) bool) {
	return func(yield func(vigia.Event) bool) {
		for _, e := range m {
			if !yield(e) {
				return
			}
		}
	}
}

// Whatever an event holds, its message is one line and a bounded text.
func TestAnyFactsMakeAMessage(t *testing.T) {
	t.Parallel()
	kinds := []vigia.EventKind{"", "x"}
	for _, e := range told {
		kinds = append(kinds, e.Kind)
	}
	text := func(most int) *rapid.Generator[string] {
		return rapid.StringOfN(rapid.Rune().Filter(func(r rune) bool { return r != '%' }), 0, most, -1)
	}
	rapid.Check(t, func(t *rapid.T) {
		e := &vigia.Event{
			At: epoch, Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Level: vigia.Level(rapid.IntRange(0, 4).Draw(t, "level")),
			Facts: vigia.EventData{
				AccountLabel: text(200).Draw(t, "label"), Automation: text(200).Draw(t, "automation"), Detail: text(3000).Draw(t, "detail"),
				Side: vigia.Side(rapid.IntRange(-1, 1).Draw(t, "side")), Quantity: vigia.USD(rapid.Int64().Draw(t, "quantity")), Last: vigia.Price(rapid.Int64().Draw(t, "last")),
				Amount: vigia.Sats(rapid.Int64().Draw(t, "amount")), Action: vigia.Action(rapid.SampledFrom([]string{"", "close", "add_margin", "dance"}).Draw(t, "action")),
			},
		}
		m := notify.Words(e)
		subject, body := m.Subject(), m.Body()
		if strings.ContainsAny(subject, "\r\n\x00") || utf8.RuneCountInString(subject) > 120 || subject == "" || !utf8.ValidString(subject) {
			t.Fatalf("the subject is %q", subject)
		}
		if utf8.RuneCountInString(body) > 1500 || !utf8.ValidString(body) || strings.ContainsAny(body, "\r\x00") {
			t.Fatalf("the body is %q", body)
		}
		if strings.Contains(subject+body, "%!") || strings.Contains(subject+body, "<no value>") {
			t.Fatalf("a text does not fit its facts: %q %q", subject, body)
		}
	})
}
