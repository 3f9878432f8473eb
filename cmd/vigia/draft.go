package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/vigiaguard/vigia"
)

// draftFlags are a rule as it is written on the command line.
type draftFlags struct {
	onServer
	Account string `help:"The account's label, or its id." placeholder:"NAME"`
	File    string `help:"The rule as JSON in a file; - is the standard input. The other flags of the rule are left out then." placeholder:"FILE"`
	Name    string `help:"What you call the rule." placeholder:"TEXT"`
	Preset  string `help:"Start from a ready-made guard: standard, calm or tight." enum:",standard,calm,tight" default:"" placeholder:"NAME"`

	TriggerOn  string `help:"What the trigger watches: distance to liquidation, or path used." enum:"distance,path_used" default:"distance"`
	Trigger    string `help:"It fires at this distance to liquidation, or this much path used." placeholder:"PERCENT"`
	Action     string `help:"What it does then." enum:"add_margin,close,notify" default:"add_margin"`
	Target     string `help:"The distance that adding restores; at least trigger + 2 × hysteresis." placeholder:"PERCENT"`
	Hysteresis string `help:"How much farther a position must be to count as safe again." placeholder:"PERCENT"`
	IfShort    string `help:"When the money does not reach the target: close, add_what_there_is or leave." enum:",close,add_what_there_is,leave" default:"" placeholder:"WHAT"`
	CoolDown   string `help:"Wait after a failed or partial action." placeholder:"DURATION"`

	Trade       []string `help:"About these trades only." placeholder:"ID"`
	Except      []string `help:"About all but these: let them die." placeholder:"ID"`
	Order       []string `help:"Rescue in this order." placeholder:"ID"`
	Side        string   `help:"About longs or shorts only." enum:",long,short" default:"" placeholder:"SIDE"`
	MaxLeverage string   `help:"Leave out what was entered above it." placeholder:"X"`
	MinMargin   string   `help:"Leave out what was entered with less margin." placeholder:"SATS"`

	PerAction      string `help:"Most sats per action." placeholder:"SATS" group:"limits"`
	PerTrade       string `help:"Most sats per trade in total." placeholder:"SATS" group:"limits"`
	PerTradeMargin string `help:"Most per trade, as a share of its entry margin." placeholder:"PERCENT" group:"limits"`
	PerDay         string `help:"Most sats in 24 hours." placeholder:"SATS" group:"limits"`
	PerDayOfFree   string `help:"Most in 24 hours, as a share of the free balance of when it goes live." placeholder:"PERCENT" group:"limits"`
	Untouched      string `help:"Sats of the free balance never touched." placeholder:"SATS" group:"limits"`
	UntouchedShare string `help:"The same, as a share of the free balance of when it goes live." name:"untouched-of-free" placeholder:"PERCENT" group:"limits"`
	ActionsPerHour string `help:"Most calls per trade and hour." placeholder:"N" group:"limits"`

	Tight bool `help:"The yes to a trigger under 1.5 %: in eleven real days the price moved 1.6 % within one minute."`
	JSON  bool `help:"Print JSON."`
}

// draft is a rule as the API takes it.
type draft struct {
	Account string             `json:"account"`
	Name    string             `json:"name,omitempty"`
	Preset  vigia.GuardPreset  `json:"preset,omitempty"`
	Guard   *vigia.GuardConfig `json:"guard,omitempty"`
	Alert   *vigia.AlertConfig `json:"alert,omitempty"`
	Scope   vigia.Scope        `json:"scope"`
	IfShort vigia.IfShort      `json:"if_short,omitempty"`
}

// written is the rule as a document: of the file, or of the flags.
func (d *draftFlags) written(env environment) (map[string]any, error) {
	if d.File != "" {
		return d.fromFile(env)
	}
	made, err := d.fromFlags()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(made)
	if err != nil {
		return nil, fmt.Errorf("writing the rule: %w", err)
	}
	return document(text)
}

// document keeps numbers as they were written.
func document(text []byte) (map[string]any, error) {
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var out map[string]any
	if err := decoder.Decode(&out); err != nil {
		return nil, err
	}
	if out == nil {
		return nil, errors.New("it is null")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows it")
	}
	return out, nil
}

func (d *draftFlags) fromFile(env environment) (map[string]any, error) {
	if other := d.ruleFlags(); other != "" {
		return nil, vigia.Invalid("file", "got a file and --"+other+"; the rule is written in one or the other")
	}
	text, err := env.readFile("file", d.File)
	if err != nil {
		return nil, err
	}
	out, err := document(text)
	if err != nil {
		return nil, vigia.Invalid("file", fmt.Sprintf("%s is no JSON object: %v", d.File, err))
	}
	if d.Account != "" {
		out["account"] = d.Account
	}
	if out["account"] == nil {
		return nil, vigia.Invalid("account", "got none; it takes the label or id of an account, as --account or in the file")
	}
	if d.Tight {
		allowTight(out)
	}
	return out, nil
}

// allowTight writes the yes to a tight trigger into the rule.
func allowTight(rule map[string]any) {
	if guard, ok := rule["guard"].(map[string]any); ok {
		guard["tight_confirmed"] = true
	}
}

// ruleFlags names one that was given besides a file.
func (d *draftFlags) ruleFlags() string {
	for _, flag := range []struct {
		name  string
		given bool
	}{
		{"name", d.Name != ""}, {"preset", d.Preset != ""}, {"trigger", d.Trigger != ""}, {"target", d.Target != ""},
		{"hysteresis", d.Hysteresis != ""}, {"if-short", d.IfShort != ""}, {"cool-down", d.CoolDown != ""}, {"trade", len(d.Trade) > 0},
		{"except", len(d.Except) > 0}, {"order", len(d.Order) > 0}, {"side", d.Side != ""}, {"max-leverage", d.MaxLeverage != ""},
		{"min-margin", d.MinMargin != ""}, {"per-action", d.PerAction != ""}, {"per-trade", d.PerTrade != ""},
		{"per-trade-margin", d.PerTradeMargin != ""}, {"per-day", d.PerDay != ""}, {"per-day-of-free", d.PerDayOfFree != ""},
		{"untouched", d.Untouched != ""}, {"untouched-of-free", d.UntouchedShare != ""}, {"actions-per-hour", d.ActionsPerHour != ""},
	} {
		if flag.given {
			return flag.name
		}
	}
	return ""
}

// fromFlags makes a rule of the flags: a preset as it is, or changed.
func (d *draftFlags) fromFlags() (*draft, error) {
	out := &draft{Account: d.Account, Name: d.Name, IfShort: vigia.IfShort(d.IfShort)}
	if d.Account == "" {
		return nil, vigia.Invalid("account", "got none; it takes the label or id of an account: vigia account list shows them")
	}
	scope, err := d.scope()
	if err != nil {
		return nil, err
	}
	out.Scope = scope
	if d.Preset == "" && d.Trigger == "" {
		return nil, vigia.Invalid("preset", "got neither --preset nor --trigger nor --file; it takes a preset (standard, calm, tight), or a trigger and a target")
	}
	if d.Preset != "" && d.plain() {
		out.Preset = vigia.GuardPreset(d.Preset)
		return out, nil
	}
	if out.Guard, err = d.guard(); err != nil {
		return nil, err
	}
	if d.IfShort != "" {
		out.Guard.IfShort, out.IfShort = vigia.IfShort(d.IfShort), ""
	}
	if out.Name == "" && d.Preset != "" {
		out.Name = d.Preset + " guard, changed"
	}
	return out, nil
}

// plain says that the preset is taken as it is.
func (d *draftFlags) plain() bool {
	given := strings.Join([]string{d.Trigger, d.Target, d.Hysteresis, d.CoolDown, d.PerAction, d.PerTrade, d.PerTradeMargin,
		d.PerDay, d.PerDayOfFree, d.Untouched, d.UntouchedShare, d.ActionsPerHour}, "")
	return given == "" && d.TriggerOn == string(vigia.TriggerDistance) && d.Action == string(vigia.GuardAddMargin) && !d.Tight
}

func (d *draftFlags) scope() (vigia.Scope, error) {
	out := vigia.Scope{Trades: tradeIDs(d.Trade), Except: tradeIDs(d.Except), Order: tradeIDs(d.Order)}
	var err error
	if d.Side != "" {
		if out.Side, err = vigia.ParseSide(d.Side); err != nil {
			return out, vigia.Invalid("side", err.Error())
		}
	}
	err = errors.Join(
		given("max-leverage", d.MaxLeverage, "a leverage such as 25", vigia.ParseLeverage, &out.MaxLeverage),
		given("min-margin", d.MinMargin, "a whole number of sats", vigia.ParseSats, &out.MinMargin))
	if err == nil && (out.MaxLeverage < 0 || out.MinMargin < 0) {
		err = vigia.Invalid("scope", "got a negative leverage or margin; it takes 0 or more")
	}
	return out, err
}

func tradeIDs(texts []string) []vigia.TradeID {
	var out []vigia.TradeID
	for _, text := range texts {
		out = append(out, vigia.TradeID(text))
	}
	return out
}

// given reads a flag that was given, or leaves things as they are.
func given[T any](field, text, takes string, parse func(string) (T, error), to *T) error {
	if text == "" {
		return nil
	}
	value, err := parse(text)
	if err != nil {
		return &vigia.Error{Code: vigia.CodeInvalid, Field: field, Message: fmt.Sprintf("got %q; it takes %s", text, takes), Cause: err}
	}
	*to = value
	return nil
}

const takesPercent = "a percentage with at most three decimals, such as 2.5%"

// guard is a preset with what the flags change.
func (d *draftFlags) guard() (*vigia.GuardConfig, error) {
	base := vigia.PresetStandard
	if d.Preset != "" {
		base = vigia.GuardPreset(d.Preset)
	}
	out, err := base.Config()
	if err != nil {
		return nil, err
	}
	step := &out.Steps[0]
	step.Trigger, step.Action = vigia.TriggerKind(d.TriggerOn), vigia.GuardAction(d.Action)
	if step.Action != vigia.GuardAddMargin {
		step.Target = 0
	} else if d.Preset == "" && d.Target == "" {
		return nil, vigia.Invalid("target", "got none; adding margin takes the distance it restores, at least trigger + 2 × hysteresis")
	}
	out.TightConfirmed = d.Tight
	wait := ""
	if err := errors.Join(
		given("trigger", d.Trigger, takesPercent, vigia.ParsePercent, &step.At),
		given("target", d.Target, takesPercent, vigia.ParsePercent, &step.Target),
		given("hysteresis", d.Hysteresis, takesPercent, vigia.ParsePercent, &out.Hysteresis),
		given("cool-down", d.CoolDown, "a time such as 30s", func(text string) (string, error) {
			span, err := time.ParseDuration(text)
			out.CoolDownSeconds = int64(span / time.Second)
			return text, err
		}, &wait),
		d.limits(&out.Limits)); err != nil {
		return nil, firstOf(err)
	}
	return &out, nil
}

// none takes a limit away.
const none = "none"

func (d *draftFlags) limits(l *vigia.GuardLimits) error {
	sats := func(field, text string, to **vigia.Sats) error {
		if text == none {
			*to = nil
			return nil
		}
		var v vigia.Sats
		if err := given(field, text, "a whole number of sats, or none", vigia.ParseSats, &v); err != nil || text == "" {
			return err
		}
		*to = &v
		return nil
	}
	share := func(field, text string, to *vigia.Percent) error {
		if text == none {
			*to = 0
			return nil
		}
		return given(field, text, takesPercent+", or none", vigia.ParsePercent, to)
	}
	actions := vigia.Sats(l.ActionsPerHour)
	if d.ActionsPerHour == none {
		d.ActionsPerHour = "0"
	}
	err := errors.Join(sats("per-action", d.PerAction, &l.PerAction), sats("per-trade", d.PerTrade, &l.PerTrade),
		sats("per-day", d.PerDay, &l.PerDay), sats("untouched", d.Untouched, &l.Untouched),
		share("per-trade-margin", d.PerTradeMargin, &l.PerTradeMargin), share("per-day-of-free", d.PerDayOfFree, &l.PerDayOfFree),
		share("untouched-of-free", d.UntouchedShare, &l.UntouchedShare),
		given("actions-per-hour", d.ActionsPerHour, "a whole number, or none", vigia.ParseSats, &actions))
	l.ActionsPerHour = int(actions)
	return err
}

// firstOf is the first of several refusals: one sentence is enough.
func firstOf(err error) error {
	var refused *vigia.Error
	if errors.As(err, &refused) {
		return refused
	}
	return err
}

// send sends a rule, asking for the typed yes where the trigger is tight.
func (d *draftFlags) send(ctx context.Context, env environment, r *remote, path string, rule map[string]any, out any) error {
	err := r.post(ctx, path, rule, out)
	var refused *vigia.Error
	tight := errors.As(err, &refused) && refused.Code == vigia.CodeNeedsConfirmation && strings.HasSuffix(refused.Field, "at_pct")
	if !tight || d.Tight {
		return err
	}
	if err := env.prompter().yes("A tight trigger: "+refused.Message+".", "yes", "--tight"); err != nil {
		return err
	}
	d.Tight = true
	allowTight(rule)
	return r.post(ctx, path, rule, out)
}
