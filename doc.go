// Package vigia is the vocabulary of Vigia: what the guard watches, decides and
// does, in the words of the field, and the arithmetic of LN Markets' inverse
// contract.
//
// # What is in here
//
// Nouns, one file each: amounts ([Sats], [Price], [USD], [Percent], [Leverage]),
// the things watched ([Subject], [Trade], [CrossPosition], [Snapshot], [Tick]),
// the rules ([Automation] and its versioned configurations), what the rules say
// ([Decision], [Reason]), what was done about it ([Execution], [Reserve],
// [Claim]), what is kept ([JournalEntry], [Event]) and the two things handed to
// everything that waits or hides: [Clock] and [Secret].
//
// # What holds for all of it
//
// Amounts are integers: sats, whole dollars, half-dollar ticks, thousandths of a
// percent. No stored or compared amount is a float. Divisions that decide money
// are exact (128 bit) and say which way they round. Values are plain data: no
// type in here does I/O, starts a goroutine or reads a clock it was not given.
//
// The package imports the standard library only and is imported by every other
// one; it imports none of them.
package vigia
