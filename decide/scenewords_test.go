package decide_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vigiaguard/vigia"
)

// stateLine reads what a rule remembers of a trade.
func (s *scene) stateLine(a *args) vigia.AutomationState {
	out := vigia.AutomationState{Automation: vigia.AutomationID(a.word())}
	if name := a.word(); name == "account" {
		out.Subject = vigia.AccountSubject()
	} else {
		out.Subject = vigia.TradeSubject(vigia.TradeID(name))
	}
	for i := range s.facts.Automations {
		if s.facts.Automations[i].ID == out.Automation {
			out.Armed = s.facts.Automations[i].ArmedAt
		}
	}
	a.time("armed", &out.Armed)
	out.TrueWhenArmed, out.Told = a.bits("true"), a.bits("told")
	a.time("acted", &out.LastAt)
	out.LastOutcome, out.LastPrice = vigia.ActionOutcome(a.get("outcome")), a.price(a.get("acted_at"))
	out.OurStop, out.StopRefused = a.price(a.get("our_stop")), a.price(a.get("stop_refused"))
	out.Shadow = vigia.Shadow{Margin: a.sats(a.get("shadow_margin")), Spent: a.sats(a.get("shadow_spent")),
		Stop: a.price(a.get("shadow_stop")), ClosedAt: a.price(a.get("shadow_closed"))}
	return out
}

// spend adds one to a shadow's spends.
func (s *scene) spend(a *args) {
	rule, trade := vigia.AutomationID(a.word()), vigia.TradeID(a.word())
	spend := vigia.ShadowSpend{Cost: a.sats(a.get("cost"))}
	a.time("at", &spend.At)
	for i := range s.facts.States {
		if st := &s.facts.States[i]; st.Automation == rule && st.Subject.Trade == trade {
			st.Shadow.Spends = append(st.Shadow.Spends, spend)
			return
		}
	}
	a.fail(fmt.Errorf("no state of %s over %s yet", rule, trade))
}

// args are the words of one line: plain ones in order, key=value in any. The first
// thing wrong with them is kept for the end.
type args struct {
	words []string
	err   error
}

func (a *args) fail(err error) {
	if a.err == nil && err != nil {
		a.err = err
	}
}

func (a *args) word() string {
	if len(a.words) == 0 {
		a.fail(fmt.Errorf("something is missing at the end"))
		return ""
	}
	first := a.words[0]
	a.words = a.words[1:]
	return first
}

func (a *args) get(key string) string {
	for i, w := range a.words {
		if value, ok := strings.CutPrefix(w, key+"="); ok {
			a.words = slices.Delete(slices.Clone(a.words), i, i+1)
			return value
		}
	}
	return ""
}

func (a *args) flag(name string) bool {
	i := slices.Index(a.words, name)
	if i >= 0 {
		a.words = slices.Delete(slices.Clone(a.words), i, i+1)
	}
	return i >= 0
}

func (a *args) done() error {
	if len(a.words) > 0 {
		a.fail(fmt.Errorf("%q is not understood", a.words))
	}
	return a.err
}

func (a *args) number(text string) int64 {
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(text, ",", ""), 10, 64)
	a.fail(err)
	return n
}

func (a *args) sats(text string) vigia.Sats { return vigia.Sats(a.number(text)) }

func (a *args) limit(key string) vigia.Sats {
	if text := a.get(key); text != "" {
		return a.sats(text)
	}
	return vigia.NoLimit
}

func (a *args) price(text string) vigia.Price {
	if text == "" {
		return 0
	}
	p, err := vigia.ParsePrice(text)
	a.fail(err)
	return p
}

func (a *args) percent(text string) vigia.Percent {
	if text == "" {
		return 0
	}
	p, err := vigia.ParsePercent(text)
	a.fail(err)
	return p
}

func (a *args) ids(key string) []vigia.TradeID {
	var out []vigia.TradeID
	for _, id := range strings.FieldsFunc(a.get(key), func(r rune) bool { return r == ',' }) {
		out = append(out, vigia.TradeID(id))
	}
	return out
}

func (a *args) bits(key string) uint32 {
	var out uint32
	for _, n := range strings.FieldsFunc(a.get(key), func(r rune) bool { return r == ',' }) {
		out |= 1 << a.number(n)
	}
	return out
}

func (a *args) time(key string, at *time.Time) {
	if text := a.get(key); text != "" {
		d, err := time.ParseDuration(text)
		a.fail(err)
		*at = noon.Add(d)
	}
}
