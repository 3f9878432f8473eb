package lnmarkets

import "github.com/vigiaguard/vigia"

// Hosts are the two addresses of one network of the exchange.
type Hosts struct {
	// REST ends with the version, which is part of every signature.
	REST string
	// Stream is the WebSocket's address.
	Stream string
}

// Mainnet is where real money trades.
func Mainnet() Hosts {
	return Hosts{REST: "https://api.lnmarkets.com/v3", Stream: "wss://stream.lnmarkets.com/v1"}
}

// Signet is the exchange's test network; it needs an account and a key of its own.
func Signet() Hosts {
	return Hosts{REST: "https://api.signet.lnmarkets.com/v3", Stream: "wss://stream.signet.lnmarkets.com/v1"}
}

// HostsOf finds the preset of a network; there is none for paper, whose address
// is where somebody started it.
func HostsOf(network vigia.Network) (Hosts, bool) {
	switch network {
	case vigia.Mainnet:
		return Mainnet(), true
	case vigia.Signet:
		return Signet(), true
	}
	return Hosts{}, false
}
