// Package e2e tests the built binary from outside: `vigia serve` against the
// paper exchange over real HTTP and WebSocket, killed, frozen, lied to and fed
// with bad input.
//
// The paper exchange runs in the test process, so that its faults, its log of
// requests and its books are at hand; vigia runs as processes of its own, one
// binary with kill points and one as it is released, each built once per run.
// After whatever was done to them, the same check is made of what must hold:
// never beyond the limits, never two sends of one intent, and what is unknown
// holds its sats until it is known.
//
// VIGIA_TEST_LONG=1 runs the long ones, whose names begin with TestLong.
package e2e
