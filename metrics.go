package grevy

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"google.golang.org/grpc/codes"

	"github.com/grevy-io/grevy/partitionactor"
	"github.com/grevy-io/grevy/protocol"
)

// metrics are what port 9600 shows under /metrics; docs/metrics.md lists them.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	entries  *prometheus.CounterVec
	commands *prometheus.CounterVec
	bytes    *prometheus.CounterVec
	commit   *prometheus.HistogramVec
	rejected *prometheus.CounterVec
	own      []prometheus.Collector // those above, and what is read when asked for
}

func newMetrics(b *Broker) *metrics {
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: vec("grevy_gateway_requests_total", "Calls of clients, by method and status.", "method", "code"),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "grevy_gateway_request_seconds", Help: "How long calls of clients took; long polls include their waiting.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15),
		}, []string{"method"}),
		entries:  vec("grevy_entries_total", "Raft entries applied by leaders here.", "partition"),
		commands: vec("grevy_commands_total", "Commands with writes applied by leaders here.", "partition"),
		bytes:    vec("grevy_entry_bytes_total", "Bytes of entries applied by leaders here.", "partition"),
		commit: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "grevy_commit_seconds", Help: "From the proposal of an entry to its application at the leader.", Buckets: prometheus.ExponentialBuckets(0.0002, 2, 14),
		}, []string{"partition"}),
		rejected: vec("grevy_rejections_total", "Commands rejected by leaders here, by the original's rejection type.", "partition", "type"),
	}
	m.own = []prometheus.Collector{m.requests, m.latency, m.entries, m.commands, m.bytes, m.commit, m.rejected, newStateCollector(b)}
	m.registry.MustRegister(m.own...)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// label is a partition's label value.
func label(p protocol.PartitionID) string { return strconv.Itoa(int(p)) }

// Entry counts an applied entry (partitionactor.Observer).
func (m *metrics) Entry(p protocol.PartitionID, commands, bytes int, took time.Duration) {
	l := label(p)
	m.entries.WithLabelValues(l).Inc()
	m.commands.WithLabelValues(l).Add(float64(commands))
	m.bytes.WithLabelValues(l).Add(float64(bytes))
	m.commit.WithLabelValues(l).Observe(took.Seconds())
}

// Rejected counts a rejection (partitionactor.Observer).
func (m *metrics) Rejected(p protocol.PartitionID, t protocol.RejectionType) {
	m.rejected.WithLabelValues(label(p), t.String()).Inc()
}

// ObserveCall counts a client's call (gateway.Observer).
func (m *metrics) ObserveCall(method string, code codes.Code, took time.Duration) {
	m.requests.WithLabelValues(method, code.String()).Inc()
	m.latency.WithLabelValues(method).Observe(took.Seconds())
}

// stateCollector reads gauges when they are asked for.
type stateCollector struct {
	b   *Broker
	all []*prometheus.Desc // those below

	leader, term, applied, lag, inFlight, full, healthy, link, log, deployments, records, unexported, exportFailures, lost *prometheus.Desc
	limit, noSpace, diskFree, diskLevel                                                                                    *prometheus.Desc
	pending, oldest, attempts, differ, repaired, compared                                                                  *prometheus.Desc
}

func newStateCollector(b *Broker) *stateCollector {
	c := &stateCollector{b: b}
	d := func(name, help string, labels ...string) *prometheus.Desc {
		c.all = append(c.all, prometheus.NewDesc(name, help, labels, nil))
		return c.all[len(c.all)-1]
	}
	c.leader = d("grevy_partition_leader", "1 if this node leads the partition and takes commands.", "partition")
	c.term = d("grevy_partition_term", "Raft term of the partition.", "partition")
	c.applied = d("grevy_partition_applied_index", "Last log index in the store of this node.", "partition")
	c.lag = d("grevy_partition_apply_lag_entries", "Entries known to be committed and not yet applied here.", "partition")
	c.inFlight = d("grevy_partition_commands_in_flight", "Commands under way at the leader here.", "partition")
	c.limit = d("grevy_partition_commands_limit", "Commands that may be under way at the leader here; follows how long they take.", "partition")
	c.noSpace = d("grevy_partition_no_space_total", "Commands refused because of the room on the disk.", "partition")
	c.diskFree = d("grevy_disk_free_bytes", "Room on the disk of the data directory.")
	c.diskLevel = d("grevy_disk_level", "0: enough room, 1: scarce, what makes the state grow is refused, 2: ended, nothing is written.")
	c.full = d("grevy_partition_refused_total", "Commands refused because the in-flight limit was reached.", "partition")
	c.healthy = d("grevy_partition_healthy", "0 if the partition is halted on this node.", "partition")
	c.link = d("grevy_link_up", "1 if the link to the peer works in both directions.", "peer")
	c.log = d("grevy_raft_log_entries", "Entries in the raft log of the partition.", "partition")
	c.deployments = d("grevy_partition_deployment_seq", "Up to which deployment, by the counter of their lane, the partition has them on this node.", "partition")
	c.pending = d("grevy_outbox_pending_rows", "Rows that the target has not acknowledged.", "partition", "target", "lane")
	c.oldest = d("grevy_outbox_oldest_seconds", "How long the oldest of them has been pending, 0 if there are none.", "partition", "target", "lane")
	c.attempts = d("grevy_outbox_attempts", "Attempts to send them since the last progress.", "partition", "target", "lane")
	c.differ = d("grevy_definitions_differ", "Definitions that differ between partitions and could not be repaired.", "partition")
	c.repaired = d("grevy_definitions_repaired_total", "Definitions taken from other partitions by leaders here.", "partition")
	c.compared = d("grevy_definitions_compared_age_seconds", "Since definitions were last compared with all that they have to be.", "partition")
	c.records = d("grevy_records_total", "Records written to the record log by leaders here.", "partition")
	c.unexported = d("grevy_record_log_lag_entries", "Applied entries whose records the leader here has not written yet.", "partition")
	c.exportFailures = d("grevy_record_log_failures_total", "Attempts to write records that have failed.", "partition")
	c.lost = d("grevy_record_log_lost_entries_total", "Entries whose records can no longer be written.", "partition")
	return c
}

// Describe implements prometheus.Collector.
func (c *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.all {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, label string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, label)
	}
	for _, p := range c.b.partitions() {
		l := label(p.Partition)
		leader, term, problem := p.Role()
		st := p.Group().Status()
		gauge(c.leader, bit(leader), l)
		gauge(c.term, float64(term), l)
		gauge(c.applied, float64(st.Applied), l)
		gauge(c.lag, float64(st.Commit-min(st.Applied, st.Commit)), l)
		gauge(c.inFlight, float64(p.Gate().InFlight()), l)
		gauge(c.limit, float64(p.Gate().Limit()), l)
		ch <- prometheus.MustNewConstMetric(c.noSpace, prometheus.CounterValue, float64(p.Gate().OutOfSpace()), l)
		gauge(c.healthy, bit(problem == ""), l)
		gauge(c.log, float64(st.LogEntries), l)
		if seq, err := p.DeploymentSeq(); err == nil { // else the partition is halted, which is told above
			gauge(c.deployments, float64(seq), l)
		}
		c.collectOutbox(ch, p, l)
		c.collectRecords(ch, p, st.Applied, leader, l)
		ch <- prometheus.MustNewConstMetric(c.full, prometheus.CounterValue, float64(p.Gate().Refused()), l)
	}
	if c.b.space != nil {
		ch <- prometheus.MustNewConstMetric(c.diskFree, prometheus.GaugeValue, float64(c.b.space.Free()))
		ch <- prometheus.MustNewConstMetric(c.diskLevel, prometheus.GaugeValue, float64(c.b.space.Level()))
	}
	if c.b.post == nil {
		return
	}
	for _, link := range c.b.post.Links() {
		gauge(c.link, bit(link.Up), strconv.Itoa(int(link.Peer)))
	}
}

// collectOutbox says what leaders here have to tell other partitions, and how
// their definitions compare.
func (c *stateCollector) collectOutbox(ch chan<- prometheus.Metric, p *partitionactor.Partition, of string) {
	lanes, compared := p.OutboxStatus(outboxTimeout)
	now := time.Now().UnixMilli()
	for _, l := range lanes {
		labels := []string{of, label(l.Target), l.Lane.String()}
		age := 0.0
		if l.Oldest > 0 {
			age = float64(now-l.Oldest) / 1000
		}
		for d, v := range map[*prometheus.Desc]float64{c.pending: float64(l.Pending), c.oldest: age, c.attempts: float64(l.Attempts)} {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
		}
	}
	if len(compared) == 0 {
		return
	}
	differ, repaired, at := 0, uint64(0), compared[0].At
	for _, k := range compared {
		differ, repaired, at = differ+k.Differs, repaired+k.Repaired, min(at, k.At)
	}
	ch <- prometheus.MustNewConstMetric(c.differ, prometheus.GaugeValue, float64(differ), of)
	ch <- prometheus.MustNewConstMetric(c.repaired, prometheus.CounterValue, float64(repaired), of)
	if at > 0 {
		ch <- prometheus.MustNewConstMetric(c.compared, prometheus.GaugeValue, float64(now-at)/1000, of)
	}
}

// outboxTimeout bounds how long a leader may take to say how its outbox does.
const outboxTimeout = 200 * time.Millisecond

// collectRecords says how the record log does, if there is one.
func (c *stateCollector) collectRecords(ch chan<- prometheus.Metric, p *partitionactor.Partition, applied uint64, leader bool, of string) {
	if c.b.records == nil {
		return
	}
	s := p.Exported()
	if leader {
		ch <- prometheus.MustNewConstMetric(c.unexported, prometheus.GaugeValue, float64(applied-min(s.Index, applied)), of)
	}
	for _, m := range []struct {
		d *prometheus.Desc
		n uint64
	}{{c.records, s.Records}, {c.exportFailures, s.Failures}, {c.lost, s.Lost}} {
		ch <- prometheus.MustNewConstMetric(m.d, prometheus.CounterValue, float64(m.n), of)
	}
}

func bit(v bool) float64 {
	if v {
		return 1
	}
	return 0
}
