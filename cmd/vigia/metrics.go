package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/vigiaguard/vigia"
)

// collector reads the guards' status at each scrape: nothing is counted on the
// way of a tick.
type collector struct{ server *server }

func metric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("vigia_"+name, help, labels, nil)
}

var (
	metricArmed     = metric("armed", "Subjects waiting for a price or a time.", "network")
	metricPriceAge  = metric("price_age_seconds", "Age of the last confirmed price.", "network")
	metricBlind     = metric("blind", "1 while there is no fresh price.", "network")
	metricOffset    = metric("clock_offset_seconds", "How far the exchange's clock is ahead.", "network")
	metricStoreDown = metric("store_down", "1 while nothing can be committed.", "network")
	metricShards    = metric("shards", "Leases held.", "network")
	metricTrades    = metric("trades", "Running trades by protection.", "network", "protection")
	metricUnsettled = metric("unsettled", "Calls that are not known to be done or not.", "network")
	metricSnapshot  = metric("snapshot_age_seconds", "Age of the oldest look at an account with a position.", "network")
	metricLatency   = metric("last_tick_to_wire_seconds", "From the tick to the request leaving, of the last action.", "network")
)

// Describe lists the metrics.
func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{metricArmed, metricPriceAge, metricBlind, metricOffset, metricStoreDown,
		metricShards, metricTrades, metricUnsettled, metricSnapshot, metricLatency} {
		out <- d
	}
}

// Collect reads them.
func (c collector) Collect(out chan<- prometheus.Metric) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	for name, n := range c.server.networks {
		status := n.guard.Status()
		collect := func(d *prometheus.Desc, v float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{string(name)}, labels...)...)
		}
		collect(metricArmed, float64(status.Armed))
		collect(metricPriceAge, vigia.Age(status.At, status.Feed.ConfirmedAt).Seconds())
		collect(metricBlind, truth(status.Feed.Blind))
		collect(metricOffset, status.ClockOffset.Seconds())
		collect(metricStoreDown, truth(status.StoreError != ""))
		collect(metricShards, float64(status.Shards))
		if status.Last != nil {
			collect(metricLatency, status.Last.TickToWire.Seconds())
		}
		collectAccounts(&status, collect)
	}
}

func collectAccounts(status *vigia.GuardStatus, collect func(*prometheus.Desc, float64, ...string)) {
	levels := map[vigia.ProtectionLevel]int{vigia.Protected: 0, vigia.InNameOnly: 0, vigia.Unprotected: 0}
	unsettled, oldest := 0, 0.0
	for i := range status.Accounts {
		a := &status.Accounts[i]
		unsettled += a.Unsettled
		for j := range a.Trades {
			levels[a.Trades[j].Protection.Level]++
		}
		if len(a.Trades) > 0 {
			oldest = max(oldest, vigia.Age(status.At, a.SnapshotBegun).Seconds())
		}
	}
	for level, n := range levels {
		collect(metricTrades, float64(n), string(level))
	}
	collect(metricUnsettled, float64(unsettled))
	collect(metricSnapshot, oldest)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// metrics serves Prometheus.
func (s *server) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{s}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux
}
