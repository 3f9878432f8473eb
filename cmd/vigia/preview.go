package main

import (
	"strconv"

	"github.com/vigiaguard/vigia"
)

// printPreview lays out what a rule would do with the positions there are.
func printPreview(out *printout, p *vigia.Preview) {
	if len(p.Trades) == 0 {
		out.line("No running trade is in its scope now; it watches for those that come.")
	}
	for i := range p.Trades {
		printPreviewTrade(out, &p.Trades[i])
	}
	out.line("Limits: %s", wrap(fixedWords(&p.Limits), "  "))
	if len(p.Trades) > 0 {
		out.line("All together: at worst %s sats are lost when the price falls, %s when it rises; net exposure %s USD.",
			p.LosesDown.Grouped(), p.LosesUp.Grouped(), vigia.Sats(p.Net).Grouped())
	}
	for _, warning := range p.Warnings {
		out.line("▲ %s", wrap(warning, "  "))
	}
	if p.TrueNow > 0 {
		out.line("▲ %s", wrap("The condition holds already for "+strconv.Itoa(p.TrueNow)+" of these trades: going live acts on them at once, and asks for a yes of its own.", "  "))
	}
	if p.Hedged {
		out.line("▲ Going live asks for a yes of its own to guarding both legs of a hedge.")
	}
}

func printPreviewTrade(out *printout, t *vigia.PreviewTrade) {
	liquidated := "liquidated at " + t.Liquidation.Grouped()
	if t.AfterFunding != 0 && t.AfterFunding != t.Liquidation {
		liquidated += ", " + t.AfterFunding.Grouped() + " after the next funding"
	}
	out.line("%s %s USD, %s: %s", t.Side, vigia.Sats(t.Quantity).Grouped(), shortSubject(t.Subject), liquidated)
	var rows [][]string
	for i := range t.Steps {
		rows = append(rows, previewRow(&t.Steps[i]))
	}
	if len(rows) > 0 {
		out.table([]string{"   fires at", "does", " adds", " costs", " dies then at", " loses if it still dies", "covered"}, rows)
	}
	out.line("  held %s %s, %s; rescues on the way: %d, adding %s sats, costing %s",
		direction(t.Side), previewHeld(t), ends(t.By), t.Saves, t.Adds.Grouped(), t.Costs.Grouped())
	out.line("  if it dies: %s sats are gone without the rule, %s at worst with it", t.LosesNow.Grouped(), t.LosesWorst.Grouped())
	if t.TrueNow {
		out.line("  ▲ its condition holds already")
	}
	out.line("")
}

func previewHeld(t *vigia.PreviewTrade) string {
	return heldTo(&vigia.WatchedTrade{Trade: vigia.Trade{Side: t.Side}, HeldTo: t.HeldTo})
}

// ends says how, in one word.
func ends(by vigia.EndedBy) string {
	switch by {
	case vigia.EndedLiquidated:
		return "liquidated there"
	case vigia.EndedStopped:
		return "stopped there"
	case vigia.EndedByUs:
		return "closed there by the rule"
	case vigia.EndedTookProfit:
		return "its profit taken there"
	}
	return "ended there"
}

func previewRow(s *vigia.PreviewStep) []string {
	dash := func(v vigia.Sats) string {
		if v == 0 {
			return "–"
		}
		return v.Grouped()
	}
	after := "–"
	if s.LiquidationAfter != 0 {
		after = s.LiquidationAfter.Grouped()
	}
	covered := "yes"
	if !s.Covered {
		covered = "NO"
	}
	return []string{s.FiresAt.Grouped(), string(s.Action), dash(s.Adds), dash(s.Costs), after, s.Loses.Grouped(), covered}
}
