//! librdkafka's producer, called directly. All `unsafe` code of Kafka is in this file, in `permissions` and
//! in `members`.
//!
//! rdkafka's own producers are not used, for three reasons, each measured: they allocate the topic's name for each
//! record, their commit sleeps in steps of 100 ms, and their polling threads spin. Here a record costs one call, a
//! commit is librdkafka's own, and one thread sleeps until there is an event: a log line, a connection's error, or
//! records that could not be delivered (`delivery.report.only.error`).

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, UNIX_EPOCH};

use rdkafka::bindings as sys;
use rdkafka::client::Client;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError as NativeKafkaError, RDKafkaErrorCode};
use rdkafka::types::{RDKafkaRespErr, RDKafkaType};
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};

use super::error::{Cause, KafkaError};
use super::events::ClientEvents;
use super::producer::ProducerRecord;
use super::progress::Progress;
use crate::clock;

/// `RD_KAFKA_PARTITION_UA`: the partitioner chooses.
const ANY_PARTITION: i32 = -1;

/// A producer of librdkafka, with a thread that serves its events.
pub(super) struct NativeProducer {
    topics: RwLock<BTreeMap<Box<str>, Topic>>,
    handle: Arc<Handle>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// The client and its queue of events, in the order in which they must be released.
struct Handle {
    queue: Queue,
    client: Client<ClientEvents>,
}

struct Queue(*mut sys::rd_kafka_queue_t);
struct Topic(*mut sys::rd_kafka_topic_t);

// SAFETY: librdkafka's objects may be used from any thread, and from several at once (INTRODUCTION.md, "Threads and
// callbacks"). The pointers are released once, by their owner's `drop`.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}
// SAFETY: as above.
unsafe impl Send for Topic {}
// SAFETY: as above.
unsafe impl Sync for Topic {}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `rd_kafka_queue_get_main`, whose reference this gives back, once.
        unsafe { sys::rd_kafka_queue_destroy(self.0) }
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `rd_kafka_topic_new`, whose reference this gives back, once.
        unsafe { sys::rd_kafka_topic_destroy(self.0) }
    }
}

/// An error of a call that concerns transactions.
pub(super) struct TransactionError {
    pub(super) code: RDKafkaErrorCode,
    pub(super) message: String,
    pub(super) fatal: bool,
    pub(super) retriable: bool,
    pub(super) requires_abort: bool,
}

impl TransactionError {
    /// Reads and releases what a call returned.
    fn take(error: *mut sys::rd_kafka_error_t) -> Result<(), Self> {
        if error.is_null() {
            return Ok(());
        }
        // SAFETY: the pointer is a live error, which the caller of librdkafka owns and this releases, after the last
        // use; its text is copied before.
        unsafe {
            let taken = Self {
                code: sys::rd_kafka_error_code(error).into(),
                message: text(sys::rd_kafka_error_string(error)),
                fatal: sys::rd_kafka_error_is_fatal(error) != 0,
                retriable: sys::rd_kafka_error_is_retriable(error) != 0,
                requires_abort: sys::rd_kafka_error_txn_requires_abort(error) != 0,
            };
            sys::rd_kafka_error_destroy(error);
            Err(taken)
        }
    }
}

/// The headers of one record, or null.
struct Headers(*mut sys::rd_kafka_headers_t);

impl Headers {
    fn new(headers: &[(&str, &[u8])]) -> Self {
        if headers.is_empty() {
            return Self(ptr::null_mut());
        }
        // SAFETY: name and value are copied, and are as long as is said; a length that does not fit is one that
        // librdkafka could not send either. The list is ours.
        unsafe {
            let list = sys::rd_kafka_headers_new(headers.len());
            for (name, value) in headers {
                let (name_length, value_length) =
                    (isize::try_from(name.len()).unwrap_or(0), isize::try_from(value.len()).unwrap_or(0));
                sys::rd_kafka_header_add(
                    list,
                    name.as_ptr().cast::<c_char>(),
                    name_length,
                    value.as_ptr().cast::<c_void>(),
                    value_length,
                );
            }
            Self(list)
        }
    }

    /// A message has them now.
    fn given_away(self) {
        std::mem::forget(self);
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the list is ours, and not used again.
            unsafe { sys::rd_kafka_headers_destroy(self.0) }
        }
    }
}

/// What became of a record.
pub(super) enum Enqueued {
    /// It is in the queue.
    Yes,
    /// The queue has no room for it.
    Full,
    /// It can never be sent, or not in this state.
    Refused(RDKafkaErrorCode),
}

impl NativeProducer {
    /// Starts a producer. Nothing is sent yet.
    pub(super) fn start(config: &ClientConfig) -> Result<Self, KafkaError> {
        let native = config.create_native_config().map_err(KafkaError::configuration)?;
        // SAFETY: the configuration lives and is ours until the client takes it over in the next statement.
        unsafe { sys::rd_kafka_conf_set_events(native.ptr(), sys::RD_KAFKA_EVENT_DR | sys::RD_KAFKA_EVENT_ERROR) };
        let client = Client::new(config, native, RDKafkaType::RD_KAFKA_PRODUCER, ClientEvents::default())
            .map_err(KafkaError::configuration)?;
        // SAFETY: the client lives. The reference that this takes is given back by `Queue::drop`, before the client's.
        let queue = Queue(unsafe { sys::rd_kafka_queue_get_main(client.native_ptr()) });
        let handle = Arc::new(Handle { queue, client });
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new().name("kafka-events".to_owned()).spawn({
            let (handle, stop) = (Arc::clone(&handle), Arc::clone(&stop));
            move || handle.serve_events(&stop)
        });
        let thread = thread.map_err(|error| KafkaError::Fatal {
            operation: "start its thread",
            source: Cause::of_ours(error.to_string()),
        })?;
        Ok(Self { topics: RwLock::default(), handle, stop, thread: Some(thread) })
    }

    /// What the client has heard.
    pub(super) fn events(&self) -> &ClientEvents {
        self.handle.client.context()
    }

    /// Whether a broker has answered, waiting for it up to `timeout`.
    pub(super) fn reaches_broker(&self, timeout: Duration) -> bool {
        self.handle.client.fetch_cluster_id(timeout).is_some()
    }

    /// Puts a copy of a record into the queue.
    pub(super) fn enqueue(&self, record: &ProducerRecord<'_>) -> Enqueued {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(topic) = topics.get(record.topic) {
            return self.produce(topic, record);
        }
        drop(topics);
        match self.open_topic(record.topic) {
            Ok(()) => self.enqueue(record),
            Err(code) => Enqueued::Refused(code),
        }
    }

    fn open_topic(&self, name: &str) -> Result<(), RDKafkaErrorCode> {
        let native_name = CString::new(name).map_err(|_| RDKafkaErrorCode::InvalidTopic)?;
        // SAFETY: the client lives; the name is NUL-terminated and copied; no configuration is handed over.
        let topic = unsafe { sys::rd_kafka_topic_new(self.ptr(), native_name.as_ptr(), ptr::null_mut()) };
        if topic.is_null() {
            return Err(RDKafkaErrorCode::InvalidTopic);
        }
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        topics.insert(name.into(), Topic(topic));
        Ok(())
    }

    fn produce(&self, topic: &Topic, record: &ProducerRecord<'_>) -> Enqueued {
        use sys::rd_kafka_vtype_t::{
            RD_KAFKA_VTYPE_END, RD_KAFKA_VTYPE_HEADERS, RD_KAFKA_VTYPE_KEY, RD_KAFKA_VTYPE_MSGFLAGS,
            RD_KAFKA_VTYPE_PARTITION, RD_KAFKA_VTYPE_RKT, RD_KAFKA_VTYPE_TIMESTAMP, RD_KAFKA_VTYPE_VALUE,
        };
        let (value, value_length) = pointer(record.value);
        let (key, key_length) = pointer(record.key);
        let headers = Headers::new(record.headers);
        // SAFETY: client and topic live. The arguments are pairs of a tag and what `rd_kafka_producev` reads for it, in
        // the C types that it reads (rdkafka.h, `rd_kafka_vtype_t`), and end with the end tag. With
        // `RD_KAFKA_MSG_F_COPY` key and value are copied before the call returns, and never written to. No headers are
        // a null pointer; others are the message's if the call succeeds, and else stay ours.
        let error = unsafe {
            sys::rd_kafka_producev(
                self.ptr(),
                RD_KAFKA_VTYPE_RKT,
                topic.0,
                RD_KAFKA_VTYPE_PARTITION,
                record.partition.unwrap_or(ANY_PARTITION),
                RD_KAFKA_VTYPE_MSGFLAGS,
                sys::RD_KAFKA_MSG_F_COPY,
                RD_KAFKA_VTYPE_VALUE,
                value,
                value_length,
                RD_KAFKA_VTYPE_KEY,
                key,
                key_length,
                // 0 stands for now.
                RD_KAFKA_VTYPE_TIMESTAMP,
                record.timestamp.or_else(held).unwrap_or(0),
                RD_KAFKA_VTYPE_HEADERS,
                headers.0,
                RD_KAFKA_VTYPE_END,
            )
        };
        match error {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => {
                headers.given_away();
                Enqueued::Yes
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__QUEUE_FULL => Enqueued::Full,
            other => Enqueued::Refused(other.into()),
        }
    }

    /// Registers with the transaction coordinator.
    pub(super) fn init_transactions(&self, timeout: Duration) -> Result<(), TransactionError> {
        // SAFETY: the client lives; the error, if any, is ours.
        TransactionError::take(unsafe { sys::rd_kafka_init_transactions(self.ptr(), milliseconds(timeout)) })
    }

    /// Begins a transaction.
    pub(super) fn begin_transaction(&self) -> Result<(), TransactionError> {
        // SAFETY: the client lives; the error, if any, is ours.
        TransactionError::take(unsafe { sys::rd_kafka_begin_transaction(self.ptr()) })
    }

    /// Adds the offsets of a consumer group to the transaction.
    pub(super) fn send_progress(&self, progress: &Progress, timeout: Duration) -> Result<(), TransactionError> {
        let mut offsets = TopicPartitionList::new();
        for (partition, offset) in &progress.offsets {
            // A name and a number always make an offset.
            let _ = offsets.add_partition_offset(&progress.topic, *partition, Offset::Offset(*offset));
        }
        // A name with a zero in it is none, and was refused where the group was read.
        let group = CString::new(progress.group.as_str()).unwrap_or_default();
        // SAFETY: the client and the list live; the metadata is ours and destroyed below; the error, if any, is ours.
        TransactionError::take(unsafe {
            let metadata = sys::rd_kafka_consumer_group_metadata_new(group.as_ptr());
            let error =
                sys::rd_kafka_send_offsets_to_transaction(self.ptr(), offsets.ptr(), metadata, milliseconds(timeout));
            sys::rd_kafka_consumer_group_metadata_destroy(metadata);
            error
        })
    }

    /// Waits for all records of the transaction to arrive, and commits it.
    pub(super) fn commit_transaction(&self, timeout: Duration) -> Result<(), TransactionError> {
        // SAFETY: the client lives; the error, if any, is ours.
        TransactionError::take(unsafe { sys::rd_kafka_commit_transaction(self.ptr(), milliseconds(timeout)) })
    }

    /// Discards the records of the transaction.
    pub(super) fn abort_transaction(&self, timeout: Duration) -> Result<(), TransactionError> {
        // SAFETY: the client lives; the error, if any, is ours.
        TransactionError::take(unsafe { sys::rd_kafka_abort_transaction(self.ptr(), milliseconds(timeout)) })
    }

    /// Waits until every record has arrived or failed; `false` if `timeout` was too short.
    pub(super) fn flush(&self, timeout: Duration) -> bool {
        // SAFETY: the client lives.
        let error = unsafe { sys::rd_kafka_flush(self.ptr(), milliseconds(timeout)) };
        error == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR
    }

    /// The error that has ended this producer's life, if one has.
    pub(super) fn fatal_error(&self) -> Option<Cause> {
        self.handle.client.fatal_error().map(|(code, message)| Cause::new(code, message))
    }

    fn ptr(&self) -> *mut sys::rd_kafka_t {
        self.handle.client.native_ptr()
    }
}

impl Drop for NativeProducer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // SAFETY: the queue lives as long as `handle`. The thread wakes up, now or when it next waits, and ends.
        unsafe { sys::rd_kafka_queue_yield(self.handle.queue.0) };
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing more to say than it has said.
            let _ = thread.join();
        }
        // SAFETY: the client lives. What nobody has committed is not wanted any more, and must not delay its end.
        unsafe { sys::rd_kafka_purge(self.ptr(), sys::RD_KAFKA_PURGE_F_QUEUE | sys::RD_KAFKA_PURGE_F_INFLIGHT) };
    }
}

impl Handle {
    /// Serves events until told to stop. Sleeps in between.
    fn serve_events(&self, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            // SAFETY: the queue lives; -1 waits until there is an event or a yield, which gives null.
            let event = unsafe { sys::rd_kafka_queue_poll(self.queue.0, -1) };
            if event.is_null() {
                continue;
            }
            // SAFETY: the event is live and ours, and is released after its last use.
            unsafe {
                match sys::rd_kafka_event_type(event) {
                    sys::RD_KAFKA_EVENT_DR => self.serve_failures(event),
                    sys::RD_KAFKA_EVENT_ERROR => self.serve_error(event),
                    sys::RD_KAFKA_EVENT_LOG => self.serve_log(event),
                    _ => {}
                }
                sys::rd_kafka_event_destroy(event);
            }
        }
    }

    /// # Safety
    ///
    /// `event` is a live delivery report.
    unsafe fn serve_failures(&self, event: *mut sys::rd_kafka_event_t) {
        loop {
            // SAFETY: the event lives, by this function's contract, and with it the message that this returns.
            let message = unsafe { sys::rd_kafka_event_message_next(event) };
            // SAFETY: the message is null or live.
            let Some(message) = (unsafe { message.as_ref() }) else { return };
            if message.err == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                continue;
            }
            let code = RDKafkaErrorCode::from(message.err);
            // SAFETY: the message and its topic live; their texts are copied at once. (`rd_kafka_message_errstr` would
            // give the record itself, which must not be shown.)
            let (topic, reason) = unsafe {
                let topic = text(sys::rd_kafka_topic_name(message.rkt));
                (topic, text(sys::rd_kafka_message_produce_errstr(message)))
            };
            let reason = if reason.is_empty() { code.to_string() } else { reason };
            let cause = Cause::new(code, format!("topic `{topic}`, partition {}: {reason}", message.partition));
            self.client.context().note_failure(cause);
        }
    }

    /// # Safety
    ///
    /// `event` is a live error.
    unsafe fn serve_error(&self, event: *mut sys::rd_kafka_event_t) {
        // SAFETY: the event lives, by this function's contract; its text is copied at once.
        let (code, reason) =
            unsafe { (sys::rd_kafka_event_error(event), text(sys::rd_kafka_event_error_string(event))) };
        self.client.context().error(NativeKafkaError::Global(code.into()), reason.trim());
    }

    /// # Safety
    ///
    /// `event` is a live log line.
    unsafe fn serve_log(&self, event: *mut sys::rd_kafka_event_t) {
        let mut facility: *const c_char = ptr::null();
        let mut message: *const c_char = ptr::null();
        let mut level: c_int = 0;
        // SAFETY: the event lives, by this function's contract, and the others are places to write to; the texts belong
        // to the event and are copied at once.
        unsafe {
            if sys::rd_kafka_event_log(event, &raw mut facility, &raw mut message, &raw mut level) == 0 {
                self.client.context().log(syslog_level(level), &text(facility), text(message).trim());
            }
        }
    }
}

/// A level of syslog (RFC 5424 §6.2.1), which is what librdkafka gives.
fn syslog_level(level: c_int) -> RDKafkaLogLevel {
    match level {
        ..=3 => RDKafkaLogLevel::Error,
        4 => RDKafkaLogLevel::Warning,
        5 => RDKafkaLogLevel::Notice,
        6 => RDKafkaLogLevel::Info,
        _ => RDKafkaLogLevel::Debug,
    }
}

/// Pointer and length of an optional field; null stands for none.
fn pointer(bytes: Option<&[u8]>) -> (*mut c_void, usize) {
    match bytes {
        Some(bytes) => (bytes.as_ptr().cast_mut().cast(), bytes.len()),
        None => (ptr::null_mut(), 0),
    }
}

/// The time that the clock stands still at, if it does, in milliseconds since 1970-01-01T00:00:00Z.
fn held() -> Option<i64> {
    let since = clock::held()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

/// A timeout as librdkafka takes it.
pub(super) fn milliseconds(timeout: Duration) -> c_int {
    c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX)
}

/// A copy of a text of librdkafka.
///
/// # Safety
///
/// `pointer` is null or points to a live NUL-terminated text.
pub(super) unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: by this function's contract.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}
