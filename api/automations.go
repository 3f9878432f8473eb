package api

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/vigiaguard/vigia"
)

type preset struct {
	Name  vigia.GuardPreset `json:"name"`
	Guard vigia.GuardConfig `json:"guard"`
}

func (a *api) presets(context.Context, *struct{}) (*body[[]preset], error) {
	out := &body[[]preset]{}
	for _, name := range vigia.GuardPresets() {
		config, err := name.Config()
		if err != nil {
			return nil, err
		}
		out.Body = append(out.Body, preset{name, config})
	}
	return out, nil
}

func (a *api) automations(ctx context.Context, in *PageInput) (*body[page[vigia.Automation]], error) {
	rows, err := a.Store.ListAutomations(ctx, a.owner(ctx), vigia.AutomationID(in.Cursor), in.Limit+1)
	if err != nil {
		return nil, err
	}
	return paged(rows, in.Limit, func(r *vigia.Automation) string { return string(r.ID) }), nil
}

// AutomationInput names a rule.
type AutomationInput struct {
	ID vigia.AutomationID `path:"id" maxLength:"64"`
}

func (a *api) automation(ctx context.Context, in *AutomationInput) (*taggedAutomation, error) {
	found, err := a.Store.Automation(ctx, a.owner(ctx), in.ID)
	return tagged(found), err
}

// taggedAutomation carries its version as ETag.
type taggedAutomation struct {
	ETag string `header:"ETag"`
	Body vigia.Automation
}

func tagged(a vigia.Automation) *taggedAutomation {
	return &taggedAutomation{ETag: strconv.Quote(strconv.FormatInt(a.Version, 10)), Body: a}
}

// draft is a rule as a person writes it.
type draft struct {
	Account string             `json:"account" minLength:"1" maxLength:"64" doc:"Id or label."`
	Name    string             `json:"name,omitempty" maxLength:"80"`
	Preset  vigia.GuardPreset  `json:"preset,omitempty" enum:"standard,calm,tight"`
	Guard   *vigia.GuardConfig `json:"guard,omitempty"`
	Alert   *vigia.AlertConfig `json:"alert,omitempty"`
	Scope   vigia.Scope        `json:"scope,omitempty"`
	IfShort vigia.IfShort      `json:"if_short,omitempty" enum:"close,add_what_there_is,leave" doc:"In the place of the preset's."`
}

type draftInput struct {
	Body draft
}

func (a *api) addAutomation(ctx context.Context, in *draftInput) (*taggedAutomation, error) {
	made, err := a.made(ctx, &in.Body)
	if err != nil {
		return nil, err
	}
	kept, err := a.Store.AddAutomation(ctx, made)
	return tagged(kept), err
}

func (a *api) previewAutomation(ctx context.Context, in *draftInput) (*body[vigia.Preview], error) {
	made, err := a.made(ctx, &in.Body)
	if err != nil {
		return nil, err
	}
	preview, err := a.Desk.Preview(ctx, made)
	return &body[vigia.Preview]{Body: preview}, err
}

// made is a draft as a rule in dry run, everything checked.
func (a *api) made(ctx context.Context, d *draft) (vigia.Automation, error) {
	account, err := a.find(ctx, d.Account)
	if err != nil {
		return vigia.Automation{}, err
	}
	now := a.Clock.Now()
	out := vigia.Automation{ID: vigia.AutomationID(vigia.NewID(now)), Owner: account.Owner, Account: account.ID, Name: d.Name,
		Mode: vigia.ModeDryRun, Scope: d.Scope, ConfigVersion: vigia.GuardConfigVersion, ArmedAt: now, CreatedAt: now}
	if err := d.fill(&out); err != nil {
		return out, err
	}
	if out.Guard != nil {
		free, err := a.free(ctx, account.ID)
		if err != nil {
			return out, err
		}
		out.Limits = out.Guard.Limits.Resolve(free)
	}
	return out, nil
}

// fill takes the kind and its configuration over.
func (d *draft) fill(out *vigia.Automation) error {
	given := 0
	for _, is := range []bool{d.Preset != "", d.Guard != nil, d.Alert != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		return vigia.Invalid("guard", "give exactly one of preset, guard and alert")
	}
	if d.Alert != nil {
		out.Kind, out.Alert = vigia.KindAlert, d.Alert
		return d.Alert.Validate()
	}
	out.Kind, out.Guard = vigia.KindMarginGuard, d.Guard
	if d.Preset != "" {
		config, err := d.Preset.Config()
		if err != nil {
			return err
		}
		out.Guard = &config
		if out.Name == "" {
			out.Name = string(d.Preset) + " guard"
		}
	}
	if d.IfShort != "" {
		out.Guard.IfShort = d.IfShort
	}
	if out.Name == "" {
		out.Name = "margin guard"
	}
	return out.Guard.Validate()
}

// The guard reads a new account's balance within a moment: it is waited for.
const (
	balanceWithin = 5 * time.Second
	balanceLook   = 100 * time.Millisecond
)

// free is an account's balance as the guard last saw it.
func (a *api) free(ctx context.Context, id vigia.AccountID) (vigia.Sats, error) {
	for begun := a.Clock.Now(); ; {
		free, seen, err := a.seenBalance(ctx, id)
		if seen || err != nil {
			return free, err
		}
		if a.Clock.Now().Sub(begun) > balanceWithin {
			return 0, &vigia.Error{Code: vigia.CodeUnavailable, Field: "account", Message: "the guard has not seen this account's balance yet",
				Help: "Try again in a few seconds; vigia status shows when it has."}
		}
		timer := a.Clock.NewTimer(balanceLook)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return 0, context.Cause(ctx)
		}
	}
}

func (a *api) seenBalance(ctx context.Context, id vigia.AccountID) (free vigia.Sats, seen bool, err error) {
	statuses, err := a.Desk.Statuses(ctx)
	if err != nil {
		return 0, false, err
	}
	for i := range statuses {
		for j := range statuses[i].Accounts {
			if w := &statuses[i].Accounts[j]; w.Account == id && !w.FreeBegun.IsZero() {
				return w.Free, true, nil
			}
		}
	}
	return 0, false, nil
}

type saveAutomationInput struct {
	AutomationInput
	IfMatch string `header:"If-Match" required:"true" doc:"The ETag that was read."`
	Body    struct {
		Name  string             `json:"name" minLength:"1" maxLength:"80"`
		Guard *vigia.GuardConfig `json:"guard,omitempty"`
		Alert *vigia.AlertConfig `json:"alert,omitempty"`
		Scope vigia.Scope        `json:"scope,omitempty"`
	}
}

// saveAutomation changes a rule. One that changed trigger or scope is armed anew;
// a change to a live rule's money is checked and fixed in sats again.
func (a *api) saveAutomation(ctx context.Context, in *saveAutomationInput) (*taggedAutomation, error) {
	old, err := a.versioned(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	next := old
	next.Name, next.Scope = in.Body.Name, in.Body.Scope
	if (old.Guard != nil) != (in.Body.Guard != nil) || (old.Alert != nil) != (in.Body.Alert != nil) {
		return nil, vigia.Invalid("guard", fmt.Sprintf("a rule keeps its kind; this one is a %s", old.Kind))
	}
	if in.Body.Alert != nil {
		next.Alert = in.Body.Alert
		err = next.Alert.Validate()
	} else {
		next.Guard = in.Body.Guard
		err = next.Guard.Validate()
	}
	if err != nil {
		return nil, err
	}
	if next.Guard != nil {
		free, err := a.free(ctx, old.Account)
		if err != nil {
			return nil, err
		}
		next.Limits = next.Guard.Limits.Resolve(free)
	}
	if !vigia.SameTriggers(&old, &next) {
		next.ArmedAt = a.Clock.Now()
	}
	kept, err := a.Store.SaveAutomation(ctx, next)
	return tagged(kept), err
}

// versioned reads a rule and holds it against If-Match.
func (a *api) versioned(ctx context.Context, id vigia.AutomationID, match string) (vigia.Automation, error) {
	old, err := a.Store.Automation(ctx, a.owner(ctx), id)
	if err != nil {
		return old, err
	}
	if match != "" && match != "*" && match != tagged(old).ETag {
		return old, fmt.Errorf("automation %s: %w", id, vigia.ErrChanged)
	}
	return old, nil
}

func (a *api) removeAutomation(ctx context.Context, in *AutomationInput) (*empty, error) {
	return &empty{}, a.Store.DeleteAutomation(ctx, a.owner(ctx), in.ID)
}

type goLiveInput struct {
	AutomationInput
	IfMatch string `header:"If-Match"`
	Body    struct {
		// Confirmed says that the preview was read and is meant.
		Confirmed bool `json:"confirmed"`
		// Hedge and TrueNow answer what the preview asks where it asks.
		Hedge   bool `json:"hedge,omitempty"`
		TrueNow bool `json:"true_now,omitempty"`
	}
}

type liveAnswer struct {
	Automation vigia.Automation `json:"automation"`
	Preview    vigia.Preview    `json:"preview"`
}

// goLive lets a rule act: limits are fixed in sats now, a dry run's shadow is
// dropped, and what is true already needs its own yes.
func (a *api) goLive(ctx context.Context, in *goLiveInput) (*body[liveAnswer], error) {
	next, err := a.versioned(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	account, err := a.find(ctx, string(next.Account))
	if err != nil {
		return nil, err
	}
	if !account.CanWrite() {
		return nil, &vigia.Error{Code: vigia.CodeForbidden, Field: "account", Message: fmt.Sprintf("the key of %s cannot write, so nothing can go live on it", account.Label),
			Help: "Make a key with the scope " + vigia.ScopeIsolatedWrite + "."}
	}
	next.Mode, next.ArmedAt = vigia.ModeLive, a.Clock.Now()
	out := &body[liveAnswer]{}
	if next.Guard != nil {
		if out.Body.Preview, err = a.readyToGoLive(ctx, &next, in); err != nil {
			return nil, err
		}
	}
	out.Body.Automation, err = a.Store.SaveAutomation(ctx, next)
	return out, err
}

func (a *api) readyToGoLive(ctx context.Context, next *vigia.Automation, in *goLiveInput) (vigia.Preview, error) {
	free, err := a.free(ctx, next.Account)
	if err != nil {
		return vigia.Preview{}, err
	}
	next.Limits = next.Guard.Limits.Resolve(free)
	next.Guard.HedgeConfirmed, next.Guard.TrueConfirmed = in.Body.Hedge, in.Body.TrueNow
	preview, err := a.Desk.Preview(ctx, *next)
	if err != nil {
		return preview, err
	}
	ask := func(field, what string) error {
		return &vigia.Error{Code: vigia.CodeNeedsConfirmation, Field: field, Message: what, Help: "Read the preview and say it again with " + field + "."}
	}
	switch {
	case preview.Hedged && !in.Body.Hedge:
		return preview, ask("hedge", fmt.Sprintf("both legs of a hedge would be guarded: worst case down %s sats, up %s sats, for a net exposure of %s USD",
			preview.LosesDown.Grouped(), preview.LosesUp.Grouped(), preview.Net))
	case preview.TrueNow > 0 && !in.Body.TrueNow:
		return preview, ask("true_now", fmt.Sprintf("the condition holds already for %d of these trades: going live acts on them at once, for up to %s sats",
			preview.TrueNow, costNow(&preview).Grouped()))
	case !in.Body.Confirmed:
		return preview, ask("confirmed", "going live lets this rule spend sats; the preview says how many")
	}
	return preview, nil
}

// costNow is what acting at once would cost.
func costNow(p *vigia.Preview) vigia.Sats {
	var sum vigia.Sats
	for i := range p.Trades {
		if t := &p.Trades[i]; t.TrueNow && len(t.Steps) > 0 {
			sum += t.Steps[len(t.Steps)-1].Costs
		}
	}
	return sum
}

type modeInput struct {
	AutomationInput
	Body struct {
		Mode vigia.Mode `json:"mode" enum:"off,dry_run"`
	}
}

func (a *api) setMode(ctx context.Context, in *modeInput) (*taggedAutomation, error) {
	next, err := a.Store.Automation(ctx, a.owner(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	if next.Mode != in.Body.Mode {
		next.Mode, next.ArmedAt = in.Body.Mode, a.Clock.Now()
	}
	kept, err := a.Store.SaveAutomation(ctx, next)
	return tagged(kept), err
}
