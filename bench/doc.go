// Package bench holds the benchmarks and the peer baselines they run beside: a
// figure is worth something next to what others would have built, measured in
// the same run on the same machine. `make bench` runs it and prints the table;
// docs/performance.md keeps what was measured. There is nothing but tests here,
// and none of them is timed: a benchmark cannot fail for being slow.
package bench
