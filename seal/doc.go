// Package seal keeps secrets at rest: exchange keys, and the addresses of
// channels. It is the only package that returns a stored one in plain.
//
// # What a sealed value is bound to
//
// A value is sealed for one place, its [Binding]: owner, account, column and
// version. The place is bound in as associated data, each part with its length
// before it, so that no two places are written alike. A value that was moved to
// another row, column or owner does not open, and neither does one in which any
// bit was changed. The plain text is padded, so that a sealed value tells its
// length only to the next 64 bytes.
//
//	 1 byte    8 bytes           1 byte   4 bytes   12 bytes   16 + 64·n bytes
//	┌────────┬─────────────────┬────────┬─────────┬──────────┬────────────────────┐
//	│ format │ mark of the     │ 1      │ key id  │ nonce    │ AES-256-GCM of     │
//	│ 1      │ place (SHA-256) │        │         │          │ length, text, zeros│
//	└────────┴─────────────────┴────────┴─────────┴──────────┴────────────────────┘
//	                            ╰──────────── Tink's own AEAD output ────────────╯
//
// The mark only serves to say why a value does not open; what refuses it is the
// associated data.
//
// # The key file
//
// Keys live in one file, a Tink keyset in JSON, that stays outside the data
// folder ([Apart]) and out of every backup: whoever has both has the secrets.
// The file must be a regular one that nobody but its owner can read; any other
// is refused with one sentence that names the file, what is wrong with it and
// what it takes. [Open] never makes a file: without the right one nothing that
// was sealed can be read, so that a missing one is an error to be looked at.
// [Create] makes one and never touches one that is there.
//
// # Rotation
//
// [Sealer.Rotate] adds a key, which seals from then on; older keys go on opening
// what they sealed. [Sealer.Stale] says of a value whether it was sealed with an
// older key and [Sealer.Reseal] renews it; once no value is stale,
// [Sealer.Retire] takes the old key out. The file is replaced in one step under
// a lock. Other processes see the change by themselves: a Sealer looks at the
// file again before it seals, and when it meets a key it does not know. It
// refuses to seal with a key that is in no file any more, and goes on opening.
//
// # Concurrency and failure
//
// A [Sealer] is safe for use by any number of goroutines. No error, log line or
// printed Sealer contains a secret or a key.
package seal
