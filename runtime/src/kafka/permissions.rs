//! What the connector's principal may do with topics (KIP-430), as rdkafka's admin client does not tell.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CString, c_char};
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer};

use super::events::ClientEvents;
use super::native::{milliseconds, text};

/// What one may do with a topic. Others than these are of no interest here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Permission {
    Read,
    Write,
}

/// How much longer than the request this waits for its outcome: librdkafka ends it by itself.
const GRACE: Duration = Duration::from_secs(1);

/// What may be done with each of these topics; one of which the brokers do not tell is left out.
pub(super) fn permissions(
    client: &BaseConsumer<ClientEvents>,
    topics: &BTreeSet<&str>,
    patience: Duration,
) -> BTreeMap<String, BTreeSet<Permission>> {
    // Any broker can tell. The one that controls the others, which would be asked otherwise, not all clusters name.
    let metadata = client.fetch_metadata(topics.iter().next().copied(), patience);
    let Some(broker) = metadata.ok().and_then(|metadata| Some(metadata.brokers().first()?.id())) else {
        return BTreeMap::new();
    };
    let names: Vec<CString> = topics.iter().filter_map(|topic| CString::new(*topic).ok()).collect();
    let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    let rk = client.client().native_ptr();
    let mut message = [0; 256];
    let mut permissions = BTreeMap::new();
    // SAFETY: the client and the names live until the end. Queue, options, collection and event are made here, used only
    // here, and released once each after their last use; what is read from the event is copied before. The options are of
    // the kind that the call takes; an error of setting one is ours to release.
    unsafe {
        let queue = sys::rd_kafka_queue_new(rk);
        let options = sys::rd_kafka_AdminOptions_new(rk, sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
        let error = sys::rd_kafka_AdminOptions_set_include_authorized_operations(options, 1);
        if !error.is_null() {
            sys::rd_kafka_error_destroy(error);
        }
        sys::rd_kafka_AdminOptions_set_request_timeout(
            options,
            milliseconds(patience),
            message.as_mut_ptr(),
            message.len(),
        );
        sys::rd_kafka_AdminOptions_set_broker(options, broker, message.as_mut_ptr(), message.len());
        let collection = sys::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        sys::rd_kafka_DescribeTopics(rk, collection, options, queue);
        let event = sys::rd_kafka_queue_poll(queue, milliseconds(patience + GRACE));
        if !event.is_null() {
            let result = sys::rd_kafka_event_DescribeTopics_result(event);
            if !result.is_null() {
                read(result, &mut permissions);
            }
            sys::rd_kafka_event_destroy(event);
        }
        sys::rd_kafka_TopicCollection_destroy(collection);
        sys::rd_kafka_AdminOptions_destroy(options);
        sys::rd_kafka_queue_destroy(queue);
    }
    permissions
}

/// # Safety
///
/// `result` is a live result of `rd_kafka_DescribeTopics`.
unsafe fn read(
    result: *const sys::rd_kafka_DescribeTopics_result_t,
    permissions: &mut BTreeMap<String, BTreeSet<Permission>>,
) {
    use sys::rd_kafka_AclOperation_t::{RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_ACL_OPERATION_WRITE};
    let mut count = 0;
    // SAFETY: the result lives, by this function's contract, and with it the list of as many descriptions as are counted.
    let topics = unsafe {
        let topics = sys::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        if topics.is_null() { &[][..] } else { std::slice::from_raw_parts(topics, count) }
    };
    for topic in topics {
        let mut count = 0;
        // SAFETY: the description is one of the live result; its name is copied, and the list is of as many operations as
        // are counted, or null if the broker tells none.
        let (name, operations) = unsafe {
            let operations = sys::rd_kafka_TopicDescription_authorized_operations(*topic, &raw mut count);
            if operations.is_null() {
                continue;
            }
            (text(sys::rd_kafka_TopicDescription_name(*topic)), std::slice::from_raw_parts(operations, count))
        };
        let may = |operation, permission| operations.contains(&operation).then_some(permission);
        let found =
            [may(RD_KAFKA_ACL_OPERATION_READ, Permission::Read), may(RD_KAFKA_ACL_OPERATION_WRITE, Permission::Write)];
        permissions.insert(name, found.into_iter().flatten().collect());
    }
}
