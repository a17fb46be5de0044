//! What a running connector counts, in the text format of Prometheus (OpenMetrics 1.0).

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::record::DriftKind;

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the classes that requests are counted in, in seconds.
const LATENCIES: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOperation {
    operation: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfDrift {
    operation: String,
    kind: String,
    pointer: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfShard {
    shard: i32,
}

#[derive(Clone)]
struct NewHistogram;

impl MetricConstructor<Histogram> for NewHistogram {
    fn new_metric(&self) -> Histogram {
        Histogram::new(LATENCIES)
    }
}

type Seconds = Counter<f64, std::sync::atomic::AtomicU64>;

/// What a connector counts. Everything begins at 0 when the process does.
pub struct Metrics {
    registry: Registry,
    requests: Family<OfOperation, Histogram, NewHistogram>,
    retries: Family<OfOperation, Counter>,
    failures: Family<OfOperation, Counter>,
    pages: Family<OfOperation, Counter>,
    records: Family<OfOperation, Counter>,
    filtered: Family<OfOperation, Counter>,
    dead_letters: Family<OfOperation, Counter>,
    drift: Family<OfDrift, Counter>,
    backpressure: Family<OfOperation, Seconds>,
    committed: Family<OfOperation, Gauge<f64, std::sync::atomic::AtomicU64>>,
    transactions: Counter,
    aborted: Counter,
    shards: Gauge,
    rebalances: Counter,
    starts: Family<OfShard, Counter>,
    takeover: Histogram,
    handover: Histogram,
}

impl Metrics {
    /// The metrics of a connector of this name, which is a label of each.
    pub fn new(connector: &str) -> Self {
        let labels = [("connector".into(), connector.to_owned().into())];
        let mut registry = Registry::with_prefix_and_labels("headwater", labels.into_iter());
        let requests = Family::new_with_constructor(NewHistogram);
        registry.register_with_unit(
            "http_request_duration",
            "How long the requests of a page took, from the first try to the end of the response",
            Unit::Seconds,
            requests.clone(),
        );
        let metrics = Self {
            requests,
            retries: Family::default(),
            failures: Family::default(),
            pages: Family::default(),
            records: Family::default(),
            filtered: Family::default(),
            dead_letters: Family::default(),
            drift: Family::default(),
            backpressure: Family::default(),
            committed: Family::default(),
            transactions: Counter::default(),
            aborted: Counter::default(),
            shards: Gauge::default(),
            rebalances: Counter::default(),
            starts: Family::default(),
            takeover: Histogram::new(LATENCIES),
            handover: Histogram::new(LATENCIES),
            registry,
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        for (name, help, family) in [
            ("http_retries", "Requests that were made again", &self.retries),
            ("http_failures", "Pages that could not be got or read, retries included", &self.failures),
            ("pages", "Pages committed to Kafka", &self.pages),
            ("records", "Records committed to Kafka", &self.records),
            ("records_filtered", "Records of committed pages that a hook or a transform left out", &self.filtered),
            ("dead_letters", "What was no record, committed to the dead letter topic", &self.dead_letters),
        ] {
            registry.register(name, help, family.clone());
        }
        registry.register(
            "drift",
            "How often records departed from the API's document, by how and where (JSON Pointer)",
            self.drift.clone(),
        );
        registry.register_with_unit(
            "backpressure",
            "How long pages that had been read waited for Kafka",
            Unit::Seconds,
            self.backpressure.clone(),
        );
        registry.register_with_unit(
            "last_commit_timestamp",
            "When a page was last committed, in seconds since 1970",
            Unit::Seconds,
            self.committed.clone(),
        );
        registry.register("transactions", "Transactions committed", self.transactions.clone());
        registry.register("transactions_aborted", "Transactions that failed and were aborted", self.aborted.clone());
        registry.register("shards", "Shards that this instance has, those without streams too", self.shards.clone());
        registry.register(
            "rebalances",
            "How often the consumer group gave shards to this instance or took some",
            self.rebalances.clone(),
        );
        registry.register(
            "shard_starts",
            "How often the streams of a shard began in this instance",
            self.starts.clone(),
        );
        registry.register_with_unit(
            "shard_takeover",
            "How long shards took from being assigned until their streams began: fencing and restoring",
            Unit::Seconds,
            self.takeover.clone(),
        );
        registry.register_with_unit(
            "shard_handover",
            "How long it took until shards that another instance is to have were free",
            Unit::Seconds,
            self.handover.clone(),
        );
        self
    }

    /// The counters of one stream.
    pub fn stream(&self, operation: &str) -> StreamMetrics {
        let labels = OfOperation { operation: operation.to_owned() };
        StreamMetrics {
            requests: self.requests.get_or_create_owned(&labels),
            retries: self.retries.get_or_create_owned(&labels),
            failures: self.failures.get_or_create_owned(&labels),
            pages: self.pages.get_or_create_owned(&labels),
            records: self.records.get_or_create_owned(&labels),
            filtered: self.filtered.get_or_create_owned(&labels),
            dead_letters: self.dead_letters.get_or_create_owned(&labels),
            backpressure: self.backpressure.get_or_create_owned(&labels),
            committed: self.committed.get_or_create_owned(&labels),
            drift: self.drift.clone(),
            operation: labels.operation,
        }
    }

    pub(crate) fn transaction_committed(&self) {
        self.transactions.inc();
    }

    pub(crate) fn transaction_aborted(&self) {
        self.aborted.inc();
    }

    /// The group has given or taken shards; so many are this instance's now.
    pub(crate) fn rebalanced(&self, shards: usize) {
        self.rebalances.inc();
        self.shards.set(i64::try_from(shards).unwrap_or(i64::MAX));
    }

    /// The streams of a shard begin.
    pub(crate) fn shard_started(&self, shard: i32) {
        self.starts.get_or_create(&OfShard { shard }).inc();
    }

    /// A shard has been fenced and restored since it was assigned.
    pub(crate) fn taken_over(&self, took: Duration) {
        self.takeover.observe(took.as_secs_f64());
    }

    /// Shards that the group had asked for are free.
    pub(crate) fn handed_over(&self, took: Duration) {
        self.handover.observe(took.as_secs_f64());
    }

    /// All of them, as Prometheus reads them.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a `String` does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// The counters of one stream. Counting is an addition, without a look-up.
#[derive(Clone)]
pub struct StreamMetrics {
    operation: String,
    requests: Histogram,
    retries: Counter,
    failures: Counter,
    pages: Counter,
    records: Counter,
    filtered: Counter,
    dead_letters: Counter,
    backpressure: Seconds,
    committed: Gauge<f64, std::sync::atomic::AtomicU64>,
    drift: Family<OfDrift, Counter>,
}

impl StreamMetrics {
    pub(crate) fn requested(&self, took: Duration) {
        self.requests.observe(took.as_secs_f64());
    }

    pub(crate) fn retried(&self) {
        self.retries.inc();
    }

    pub(crate) fn failed(&self) {
        self.failures.inc();
    }

    pub(crate) fn held_up(&self, waited: Duration) {
        self.backpressure.inc_by(waited.as_secs_f64());
    }

    /// Pages that are in Kafka for good, `at` being the time since 1970.
    pub(crate) fn committed(&self, Committed { pages, records, filtered, dead_letters }: Committed, at: Duration) {
        self.pages.inc_by(pages);
        self.records.inc_by(records);
        self.filtered.inc_by(filtered);
        self.dead_letters.inc_by(dead_letters);
        self.committed.set(at.as_secs_f64());
    }

    /// `pointer` is one of a bounded number of places.
    pub(crate) fn drifted(&self, kind: DriftKind, pointer: &str, count: u64) {
        let labels = OfDrift { operation: self.operation.clone(), kind: kind.to_string(), pointer: pointer.to_owned() };
        self.drift.get_or_create(&labels).inc_by(count);
    }
}

/// What of a stream one transaction held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Committed {
    pub(crate) pages: u64,
    pub(crate) records: u64,
    pub(crate) filtered: u64,
    pub(crate) dead_letters: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_written_as_prometheus_reads_them() {
        let metrics = Metrics::new("orders");
        let stream = metrics.stream("listOrders");
        stream.requested(Duration::from_millis(30));
        stream.committed(Committed { pages: 1, records: 100, filtered: 5, dead_letters: 2 }, Duration::from_secs(7));
        stream.drifted(DriftKind::Undeclared, "/colour", 3);
        stream.held_up(Duration::from_millis(1_500));
        metrics.transaction_committed();
        metrics.rebalanced(3);
        metrics.shard_started(7);
        metrics.taken_over(Duration::from_millis(20));
        metrics.handed_over(Duration::from_millis(30));
        let text = metrics.text();
        for line in [
            "# TYPE headwater_records counter",
            r#"headwater_records_total{connector="orders",operation="listOrders"} 100"#,
            r#"headwater_records_filtered_total{connector="orders",operation="listOrders"} 5"#,
            r#"headwater_dead_letters_total{connector="orders",operation="listOrders"} 2"#,
            r#"headwater_http_retries_total{connector="orders",operation="listOrders"} 0"#,
            r#"headwater_http_request_duration_seconds_bucket{connector="orders",le="0.05",operation="listOrders"} 1"#,
            r#"headwater_backpressure_seconds_total{connector="orders",operation="listOrders"} 1.5"#,
            r#"headwater_last_commit_timestamp_seconds{connector="orders",operation="listOrders"} 7.0"#,
            r#"headwater_transactions_total{connector="orders"} 1"#,
            r#"headwater_shards{connector="orders"} 3"#,
            r#"headwater_rebalances_total{connector="orders"} 1"#,
            r#"headwater_shard_starts_total{connector="orders",shard="7"} 1"#,
            r#"headwater_shard_takeover_seconds_count{connector="orders"} 1"#,
            r#"headwater_shard_handover_seconds_bucket{connector="orders",le="0.05"} 1"#,
            "# EOF",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\nis not in\n{text}");
        }
        assert!(text.contains(r#"pointer="/colour"} 3"#), "{text}");
    }
}
