package notify

import (
	"fmt"
	"strings"
	"text/template"
	"time"

	"github.com/vigiaguard/vigia"
)

// Everything this package says to people is in this file.

// language is one language's texts.
type language struct {
	kinds   map[vigia.EventKind]wording
	unknown wording
	// tried and would complete "Vigia tried to …" and "Vigia would have …".
	tried, would        map[vigia.Action]string
	never, oneSat, sats string
}

// wording is the three texts of one kind of event, over facts.
type wording struct{ title, happened, do *template.Template }

func say(title, happened, do string) wording {
	parse := func(text string) *template.Template { return template.Must(template.New("").Parse(text)) }
	return wording{parse(title), parse(happened), parse(do)}
}

const (
	moved    = `{{if and .Before .After}} Its liquidation was at {{.Before}} and is at {{.After}} now.{{else}}{{with or .Before .After}} Its liquidation is at {{.}}.{{end}}{{end}}`
	heldTo   = `{{with .Held}} It is held {{if $.Short}}up{{else}}down{{end}} to {{.}}.{{end}}`
	reached  = `{{with .Last}} The price is {{.}}.{{end}}`
	because  = `{{with .Why}} {{.}}{{end}}`
	detailed = `{{with .Detail}} In detail: {{.}}.{{end}}`
)

var english = language{
	never: "no price", oneSat: "1 sat", sats: " sats",
	tried: map[vigia.Action]string{
		vigia.ActionAddMargin: "add %s of margin", vigia.ActionClose: "close it", vigia.ActionSetStop: "set the stop at %s",
		vigia.ActionRemoveStop: "take the stop away", vigia.ActionCashIn: "take %s out", vigia.ActionProve: "add one sat as a proof",
		vigia.ActionNotify: "tell you", vigia.ActionNone: "act",
	},
	would: map[vigia.Action]string{
		vigia.ActionAddMargin: "added %s of margin", vigia.ActionClose: "closed it", vigia.ActionSetStop: "set the stop at %s",
		vigia.ActionRemoveStop: "taken the stop away", vigia.ActionCashIn: "taken %s out", vigia.ActionProve: "added one sat as a proof",
		vigia.ActionNotify: "told you", vigia.ActionNone: "acted",
	},
	unknown: say(`{{.Kind}}`, `Something happened that this version has no words for: {{.Kind}}{{with .Trade}}, {{.}}{{end}}{{with .Account}} on {{.}}{{end}}.`+because+detailed,
		`Look at the status, and bring Vigia up to date.`),
	kinds: map[vigia.EventKind]wording{
		vigia.EventRescued: say(`Rescued: {{.Trade}} on {{.Account}}`,
			`Vigia added {{or .Amount "margin"}} to the {{.Trade}}{{with .Last}} at a price of {{.}}{{end}}.`+moved+heldTo+because,
			`Nothing is needed: the sats are in the trade and still yours. If you no longer want to hold it, close it while it is safe.`),
		vigia.EventClosed: say(`Closed: {{.Trade}} on {{.Account}}`,
			`Vigia closed the {{.Trade}}{{with .Last}} at a price of {{.}}{{end}}.`+because+`{{with .PL}} The result is {{.}}.{{end}}`+detailed,
			`Nothing is needed: what was left of its margin is in your free balance again.`),
		vigia.EventFailed: say(`Failed: {{.Trade}} on {{.Account}}`,
			`Vigia tried to {{.Tried}} for the {{.Trade}}, and it was not done.`+detailed+reached+moved+because,
			`Look at the trade now. Vigia tries again as far as its limits allow; if the price comes near, add margin or close it by hand.`),
		vigia.EventUnknown: say(`No answer: {{.Trade}} on {{.Account}}`,
			`Vigia sent the request to {{.Tried}} for the {{.Trade}}, and no answer came. It may have been done or not. Its sats are held until that is known.`+reached+detailed,
			`Do not repeat it by hand before you have looked at the trade on the exchange. Vigia goes on reading and tells you how it ended.`),
		vigia.EventSettled: say(`Known now: {{.Trade}} on {{.Account}}`,
			`The request to {{.Tried}} for the {{.Trade}}, which was not answered, is settled.`+detailed+moved+heldTo,
			`Nothing is needed.`),
		vigia.EventDryRun: say(`You were not protected: {{.Trade}} on {{.Account}}`,
			`The rule{{with .Automation}} “{{.}}”{{end}} is in dry run. Live, it would have {{.Would}} now.{{with .Last}} The price is {{.}}{{end}}{{with .Before}}, the liquidation at {{.}}{{end}}{{if .Last}}.{{end}} Nothing was sent to the exchange.`,
			`Add margin or close the trade by hand if you want to keep it; let the automation go live if Vigia shall do it.`),
		vigia.EventDryEnded: say(`The dry run ended: {{.Trade}} on {{.Account}}`,
			`The trade ended{{with .Last}} at {{.}}{{end}}, and nothing was done about it: its rule is in dry run.{{with .Held}} Live, the rule would have held it {{if $.Short}}up{{else}}down{{end}} to {{.}}{{with $.Amount}}, with {{.}} of margin added{{end}}.{{end}}`,
			`Let the automation go live if Vigia shall do it the next time.`),
		vigia.EventStopSet: say(`Stop set: {{.Trade}} on {{.Account}}`,
			`The exchange's own stop of the {{.Trade}} rests at {{or .Stop "the trigger price"}} now.`+because,
			`Nothing is needed: it works also while Vigia is down.`),
		vigia.EventStopRemoved: say(`Stop taken away: {{.Trade}} on {{.Account}}`,
			`Vigia took its own stop of the {{.Trade}} away{{with .Stop}}; it rested at {{.}}{{end}}.`+because,
			`Nothing is needed. A stop that you set yourself was not touched.`),
		vigia.EventLimit: say(`Limit reached: {{.Trade}} on {{.Account}}`,
			`The rule{{with .Automation}} “{{.}}”{{end}} wanted to {{.Tried}} for the {{.Trade}}, and a limit of yours is used up.`+detailed+reached+moved,
			`Raise the limit if you want to hold the trade further, or close it by hand. Until then Vigia does what the rule says for when the money is short.`),
		vigia.EventTrueWhen: say(`Waiting for your answer: {{.Trade}} on {{.Account}}`,
			`The condition of the rule{{with .Automation}} “{{.}}”{{end}} was true already when it was armed for the {{.Trade}}. It does nothing before you say so: protected in name only.`+reached+moved+`{{with .Cost}} To act now would cost {{.}}.{{end}}`,
			`Confirm the preview of the automation to let it act, or choose another trigger.`),
		vigia.EventUnprotected: say(`Not protected: {{.Trade}} on {{.Account}}`,
			`Nothing would act for the {{.Trade}}.`+because+detailed+reached+moved,
			`Put a live automation on it, set a stop on the exchange, or let it be by leaving it out of the alert.`),
		vigia.EventVanished: say(`Gone: {{.Trade}} on {{.Account}}`,
			`The {{.Trade}} no longer runs, and neither Vigia nor you by way of Vigia ended it.`+detailed+`{{with .Last}} The price is {{.}}.{{end}}{{with .PL}} The result is {{.}}.{{end}}`,
			`Look at its end on the exchange. If it was not you, change the API key.`),
		vigia.EventBlind: say(`Blind: no fresh price`,
			`No price has come for more than 15 seconds. Until one does, only what rests at the exchange works: stops do, rescues do not.`+detailed,
			`See whether the machine has a network and the exchange is up. If it lasts, set a stop on the exchange by hand.`),
		vigia.EventSighted: say(`Prices are back`,
			`Fresh prices come in again, and the rules act again.{{with .Last}} The price is {{.}}.{{end}}`+detailed,
			`Nothing is needed.`),
		vigia.EventKeyRefused: say(`Key refused: {{.Account}}`,
			`The exchange refuses the API key of {{.Account}}. Vigia cannot see or guard its trades and tries again every now and then.`+detailed,
			`See on the exchange whether the key still exists, has its scopes and allows this machine's address; then give Vigia the new key.`),
		vigia.EventClock: say(`The clock is off`,
			`This machine's clock differs from the exchange's by more than two seconds, so that requests may be refused. Vigia corrects for it as far as it can.`+detailed,
			`Switch on the machine's time synchronisation (NTP).`),
		vigia.EventStopped: say(`Automations are stopped{{with .Label}} for {{.}}{{end}}`,
			`Automations were told to stop, the guard included. Stops that rest at the exchange stay where they are; nothing else protects a trade now.`+detailed,
			`Release the stop when you want to be guarded again.`),
		vigia.EventHalted: say(`Halted: the halt file exists`,
			`There is a halt file in the data folder. Vigia reads and settles, and acts on nothing, not even by hand. Stops that rest at the exchange stay where they are.`+detailed,
			`Remove the file when you want to be guarded again.`),
		vigia.EventProved: say(`Writing works: {{.Account}}`,
			`Vigia added one sat to the {{.Trade}} and read it back.`+detailed,
			`Nothing is needed.`),
		vigia.EventStore: say(`Vigia cannot write its records`,
			`The store is down. Without a committed intent Vigia sends nothing, so that nobody is guarded beyond the stops that rest at the exchange.`+detailed,
			`See whether the disk is full or the database is down. Until it is back, watch your trades by hand.`),
		vigia.EventSlept: say(`The machine slept`,
			`The machine that guards was asleep or frozen, and nothing was watched meanwhile.`+detailed,
			`Switch off sleep on that machine, or let Vigia run where nothing sleeps.`),
		vigia.EventNotify: say(`Trigger reached: {{.Trade}} on {{.Account}}`,
			`The price came to the trigger of the rule{{with .Automation}} “{{.}}”{{end}}, which only tells you.{{with .Last}} The price is {{.}}.{{end}}{{with .Before}} The liquidation is at {{.}}.{{end}}`+detailed,
			`Add margin or close the trade by hand if you want to keep it; Vigia will not.`),
	},
}

// StoreBack is said once the store can be written again after EventStore.
func StoreBack(at, since time.Time) Message {
	return Message{Level: vigia.LevelWarning, At: at, Title: "Vigia writes its records again",
		Happened: fmt.Sprintf("The store is back. It was down since %s, and nothing was sent to the exchange meanwhile.", stamp(since)),
		Do:       "Look at your trades once: the guard goes on from fresh facts."}
}

// Trial is what a person gets who wants to see whether a channel works.
func Trial(at time.Time) Message {
	return Message{Level: vigia.LevelInfo, At: at, Title: "This channel works",
		Happened: "Somebody asked Vigia to try this channel.", Do: "Nothing is needed."}
}

// backlog stands for events that were too old to be recited.
func backlog(events int, since, at time.Time) Message {
	return Message{Level: vigia.LevelInfo, At: at, Title: fmt.Sprintf("%d older messages were not sent", events),
		Happened: fmt.Sprintf("%d events since %s were already old when this channel could be reached.", events, stamp(since)),
		Do:       "Read them in the list of executions."}
}

func (l *language) subject(m Message) string {
	switch m.Level {
	case vigia.LevelCritical:
		return "Vigia, critical: " + m.Title
	case vigia.LevelWarning:
		return "Vigia, warning: " + m.Title
	}
	return "Vigia: " + m.Title
}

func (l *language) body(m Message) string {
	parts := []string{m.Happened}
	if m.More > 0 {
		parts = append(parts, fmt.Sprintf("And %d more like it since %s.", m.More, stamp(m.Since)))
	}
	if m.Do != "" {
		parts = append(parts, "What you can do: "+m.Do)
	}
	if !m.At.IsZero() {
		parts = append(parts, stamp(m.At))
	}
	return strings.Join(parts, "\n\n")
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func (l *language) account(label string, network vigia.Network) string {
	switch label = oneLine(label); {
	case label == "":
		return "your account"
	case network == vigia.Mainnet || network == "":
		return label
	}
	return label + " (" + string(network) + ")"
}

func (l *language) trade(e *vigia.Event) string {
	switch {
	case e.Subject.Kind == vigia.SubjectCross:
		return "cross position"
	case e.Facts.Side != 0 && e.Facts.Quantity != 0:
		return fmt.Sprintf("%s of $%s", e.Facts.Side, vigia.Sats(e.Facts.Quantity).Grouped())
	}
	return "trade"
}

// deed says an action with its amount.
func (l *language) deed(d *vigia.EventData, f *facts, how map[vigia.Action]string) string {
	text, known := how[d.Action]
	switch {
	case !known:
		return how[vigia.ActionNone]
	case !strings.Contains(text, "%s"):
		return text
	case d.Action == vigia.ActionSetStop:
		return fmt.Sprintf(text, orElse(f.Stop, "the trigger price"))
	}
	return fmt.Sprintf(text, orElse(f.Amount, "some sats"))
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
