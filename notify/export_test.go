package notify

import "github.com/vigiaguard/vigia"

// OpenAt is Open with Telegram's server elsewhere.
func OpenAt(address vigia.Secret, clock vigia.Clock, telegram string) (*Channel, error) {
	return open(address, clock, telegram)
}
