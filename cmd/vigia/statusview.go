package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/vigiaguard/vigia"
)

// screenWidth is what the status fits in.
const screenWidth = 80

// show lays the report out: the price that the first trade is held to before
// everything else, then who is watched, then whether somebody watches.
func (r *statusReport) show(out *printout, style styles) {
	for i := range r.Networks {
		if r.Networks[i].Network == vigia.Paper {
			out.line("%s", style.dim("PAPER: a simulated exchange, no money"))
		}
	}
	r.printHeld(out, style)
	for i := range r.Accounts {
		r.Accounts[i].show(out, style, r.At)
	}
	if len(r.Accounts) == 0 {
		out.line("No account is watched yet. Add one:  vigia account add --label main --network mainnet")
	}
	out.line("")
	for i := range r.Networks {
		r.Networks[i].show(out, style)
	}
	if len(r.Networks) == 0 {
		out.line("%s", style.danger("No guard is running for any network."))
	}
	r.printStops(out, style)
	r.printLast(out)
}

// printHeld is the one number.
func (r *statusReport) printHeld(out *printout, style styles) {
	account, t := r.first()
	if t == nil {
		return
	}
	out.line("%s", style.bold("HELD "+strings.ToUpper(direction(t.Side))))
	for _, row := range figures(heldTo(t)) {
		out.line("  %s", style.bold(row))
	}
	left := ""
	if account.Last > 0 {
		left = fmt.Sprintf(", %s from now", decimals(vigia.Percent(float64(away(t, account.Last))/float64(account.Last)*float64(vigia.HundredPercent)), 2))
	}
	out.line("  %s of %s: %s%s", named(t), account.Label, endText(t), left)
}

// direction is which way a side is held.
func direction(side vigia.Side) string {
	if side == vigia.Short {
		return "up to"
	}
	return "down to"
}

// heldTo is the price as it is shown.
func heldTo(t *vigia.WatchedTrade) string {
	switch {
	case t.HeldTo == 0:
		return "?"
	case t.Side == vigia.Short && t.HeldTo >= vigia.NeverPrice:
		return "never"
	}
	return t.HeldTo.Grouped()
}

// endText says how a trade ends where it ends.
func endText(t *vigia.WatchedTrade) string {
	switch t.HeldBy {
	case vigia.EndedLiquidated:
		return "liquidated there"
	case vigia.EndedStopped:
		return "stopped there by the exchange"
	case vigia.EndedByUs:
		return "closed there by its rule"
	case vigia.EndedTookProfit:
		return "its profit is taken there"
	}
	return "ends there"
}

// named tells a trade from the others.
func named(t *vigia.WatchedTrade) string {
	return fmt.Sprintf("%s %s USD %s× %s", t.Side, vigia.Sats(t.Quantity).Grouped(), roughly(t.Leverage), short(string(t.ID)))
}

// roughly is a leverage with at most one place.
func roughly(l vigia.Leverage) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", l.Float()), ".0")
}

func (a *accountStatus) show(out *printout, style styles, now time.Time) {
	out.line("")
	out.line("%s  %s", style.bold(a.Label), a.about(now))
	switch {
	case a.Status == vigia.AccountRefused:
		out.line("  %s", style.danger(wrapWithin("■ the exchange refuses its key: "+a.Detail, "    ", screenWidth)))
	case a.SnapshotAgeMS == nil:
		out.line("  %s", style.danger("■ nobody has looked at its positions yet"))
		return
	case len(a.Trades) == 0:
		out.line("  no running trade")
	}
	if len(a.Trades) > 0 {
		out.line("  %s", style.dim("held to       trade                           distance    path  acts at"))
	}
	for i := range a.Trades {
		a.printTrade(out, style, &a.Trades[i])
	}
	if a.Cross.Quantity != 0 {
		out.line("  cross %s %s USD %s×, liquidated at %s: shown, not guarded", a.Cross.Side(), vigia.Sats(max(a.Cross.Quantity, -a.Cross.Quantity)).Grouped(),
			roughly(a.Cross.Leverage), a.Cross.Liquidation.Grouped())
	}
	if a.Unsettled > 0 {
		out.line("  %s", style.warn(fmt.Sprintf("▲ calls not answered yet: %d; their sats are held until it is known", a.Unsettled)))
	}
}

// about is the line beside an account's name.
func (a *accountStatus) about(now time.Time) string {
	parts := []string{string(a.Network)}
	if a.Status == vigia.AccountWatchOnly {
		parts = append(parts, "watch only")
	}
	if a.SnapshotAgeMS != nil {
		looked := "looked at " + since(now, a.SnapshotBegun)
		if a.Provisional {
			looked = "known from before the start only"
		}
		parts = append(parts, a.Free.Grouped()+" sats free", looked)
	}
	return strings.Join(append(parts, "proved "+since(now, a.ProvedAt)), " · ")
}

func (a *accountStatus) printTrade(out *printout, style styles, t *vigia.WatchedTrade) {
	acts := "–"
	if t.ActsAt != 0 {
		acts = t.ActsAt.Grouped()
	}
	out.line("  %s  %s  %s  %s  %s", style.bold(pad(heldTo(t), 12, false)), pad(named(t), 30, false),
		pad(decimals(t.Distance, 2), 8, true), pad(decimals(t.PathUsed, 0), 6, true), acts)
	out.line("    %s", protectionText(t, style))
	if act := actText(t); act != "" {
		out.line("    %s", wrapWithin(act, "    ", screenWidth))
	}
}

// protectionText says from across the room whether a trade is protected.
func protectionText(t *vigia.WatchedTrade, style styles) string {
	var why []string
	for _, gap := range t.Protection.Reasons {
		why = append(why, gap.Sentence())
	}
	because := ""
	if len(why) > 0 {
		because = ": " + strings.Join(why, "; ")
	}
	switch t.Protection.Level {
	case vigia.Protected:
		return style.good(wrapWithin("✓ protected by “"+t.Automation+"”", "      ", screenWidth))
	case vigia.InNameOnly:
		return style.warn(wrapWithin("▲ in name only"+because, "      ", screenWidth))
	}
	return style.danger(wrapWithin("■ not protected"+because, "      ", screenWidth))
}

// actText says what a rule does next, or would.
func actText(t *vigia.WatchedTrade) string {
	does, would := "", ""
	switch t.Act.Action {
	case vigia.GuardAddMargin:
		does, would = "adds "+satsText(t.Act.Adds), "add "+satsText(t.Act.Adds)
	case vigia.GuardClose:
		does, would = "closes it", "close it"
	case vigia.GuardNotify:
		does, would = "tells you", "tell you"
	}
	switch {
	case does == "" || t.ActsAt == 0:
		return shadowText(t)
	case t.Mode == vigia.ModeDryRun:
		return fmt.Sprintf("at %s the dry run would %s. %s", t.ActsAt.Grouped(), would, shadowText(t))
	}
	return fmt.Sprintf("at %s it %s; liquidated at %s without more", t.ActsAt.Grouped(), does, t.Liquidation.Grouped())
}

func shadowText(t *vigia.WatchedTrade) string {
	switch {
	case t.ShadowClosed != 0:
		return "The dry run closed it at " + t.ShadowClosed.Grouped() + "."
	case t.ShadowMargin != 0:
		return "The dry run added " + t.ShadowMargin.Grouped() + " sats so far."
	}
	return ""
}

func (n *networkStatus) show(out *printout, style styles) {
	if n.Last == 0 {
		out.line("%s  %s", n.Network, style.danger("no price yet"))
		return
	}
	age := style.danger("never confirmed")
	if n.PriceAgeMS != nil {
		age = "confirmed " + ageText(time.Duration(*n.PriceAgeMS)*time.Millisecond) + " ago by " + n.Source
	}
	out.line("%s  %s, %s · %d armed · clock %d ms apart", n.Network, n.Last.Grouped(), age, n.Armed, n.ClockOffsetMS)
	if n.Blind {
		out.line("  %s", style.danger("■ BLIND: the price is too old to act on; only what the exchange holds works"))
	}
	if n.StoreError != "" {
		out.line("  %s", style.danger(wrapWithin("■ the store cannot commit, so nothing is sent: "+n.StoreError, "    ", screenWidth)))
	}
	if said := time.Duration(n.SaidMS) * time.Millisecond; said > 10*time.Second {
		out.line("  %s", style.danger("■ its process said this "+ageText(said)+" ago and nothing since"))
	}
}

func (r *statusReport) printStops(out *printout, style styles) {
	if r.Stops.Automations {
		out.line("%s", style.danger("■ AUTOMATIONS ARE STOPPED, the guard too. vigia stop --release lets them act again."))
	}
	if r.Stops.HaltFile != "" {
		out.line("%s", style.danger(wrapWithin("■ HALTED: "+r.Stops.HaltFile+" exists, nothing acts. Remove it when things may act again.", "  ", screenWidth)))
	}
}

func (r *statusReport) printLast(out *printout) {
	if r.Last == nil {
		out.line("nothing was sent yet")
		return
	}
	l := r.Last
	amount, answer := "", ""
	if l.Amount != 0 {
		amount = " " + satsText(l.Amount)
	}
	if l.TickToAnswer > 0 {
		answer = ", " + ageText(l.TickToAnswer) + " to the answer"
	}
	text := fmt.Sprintf("last sent  %s%s: %s, %s · tick to wire %s%s", l.Action, amount, l.State, since(r.At, l.SentAt), ageText(l.TickToWire), answer)
	if l.TickToWire == 0 {
		text = fmt.Sprintf("last sent  %s%s: %s, %s", l.Action, amount, l.State, since(r.At, l.SentAt))
	}
	out.line("%s", wrapWithin(text, "  ", screenWidth))
}
