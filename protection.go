package vigia

// ProtectionLevel is what a trader sees from across the room.
type ProtectionLevel string

// The levels of protection.
const (
	// Protected: armed live, able to write, facts fresh, the write path proved,
	// and enough for one full rescue.
	Protected ProtectionLevel = "protected"
	// InNameOnly: a live automation is there, and something is missing.
	InNameOnly ProtectionLevel = "in_name_only"
	// Unprotected: no live automation. Dry run is not protected.
	Unprotected ProtectionLevel = "not_protected"
)

// Protection is a level and why it is not better.
type Protection struct {
	Level   ProtectionLevel `json:"level"`
	Reasons []Gap           `json:"reasons,omitempty"`
}

// Gap is one thing that protection lacks.
type Gap string

// The gaps, the gravest first.
const (
	GapNoAutomation  Gap = "no_automation"
	GapDryRun        Gap = "dry_run_only"
	GapHalted        Gap = "halted"
	GapStopped       Gap = "stopped"
	GapKeyRefused    Gap = "key_refused"
	GapReadOnlyKey   Gap = "read_only_key"
	GapBlind         Gap = "blind"
	GapStale         Gap = "stale_snapshot"
	GapTrueWhenArmed Gap = "true_when_armed"
	GapNotProved     Gap = "write_not_proved"
	GapCover         Gap = "cover_missing"
	GapNotifyOnly    Gap = "notify_only"
	GapUnknown       Gap = "awaiting_unknown"
)

var gaps = map[Gap]string{
	GapNoAutomation:  "no automation covers it",
	GapDryRun:        "the automation only runs dry",
	GapHalted:        "the halt file exists",
	GapStopped:       "automations are stopped",
	GapKeyRefused:    "the exchange refuses the key",
	GapReadOnlyKey:   "the key cannot write",
	GapBlind:         "there is no fresh price",
	GapStale:         "the positions were not read in time",
	GapTrueWhenArmed: "its condition was true when it was armed and waits for your answer",
	GapNotProved:     "it was never proved that writing works (vigia account prove)",
	GapCover:         "free balance and limits do not cover one full rescue",
	GapNotifyOnly:    "the automation only notifies",
	GapUnknown:       "an earlier call was not answered yet",
}

// Sentence explains the gap to a person.
func (g Gap) Sentence() string { return gaps[g] }
