//! Who is a member of a consumer group, by either protocol, as rdkafka's admin client does not tell.

use std::ffi::{CString, c_char};
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::consumer::Consumer;
use rdkafka::error::RDKafkaErrorCode;

use super::blocking::blocking;
use super::error::{Cause, KafkaError};
use super::group::refused;
use super::native::{milliseconds, text};
use super::reader::consumer;
use super::settings::KafkaSettings;

/// How much longer than the request this waits for its outcome: librdkafka ends it by itself.
const GRACE: Duration = Duration::from_secs(1);

/// The hosts that the members of a group have joined from; none if there is no such group, or the broker knows no groups.
///
/// # Errors
///
/// [`KafkaError::Denied`] if the group may not be described; [`KafkaError::Unreachable`] after `patience` without an answer.
pub async fn group_members(
    settings: &KafkaSettings,
    group: &str,
    patience: Duration,
) -> Result<Vec<String>, KafkaError> {
    let (settings, group) = (settings.clone(), group.to_owned());
    blocking(move |_| {
        let client = consumer(&settings.admin())?;
        let Ok(name) = CString::new(group.as_str()) else { return Ok(Vec::new()) };
        let mut names: [*const c_char; 1] = [name.as_ptr()];
        let rk = client.client().native_ptr();
        let kind = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS;
        let mut message = [0; 256];
        // SAFETY: the client and the name live until the end. Queue, options and event are made here, used only here, and
        // released once each after their last use; what is read from the event is copied before.
        let answer = unsafe {
            let queue = sys::rd_kafka_queue_new(rk);
            let options = sys::rd_kafka_AdminOptions_new(rk, kind);
            let timeout = milliseconds(patience);
            sys::rd_kafka_AdminOptions_set_request_timeout(options, timeout, message.as_mut_ptr(), message.len());
            sys::rd_kafka_DescribeConsumerGroups(rk, names.as_mut_ptr(), names.len(), options, queue);
            let event = sys::rd_kafka_queue_poll(queue, milliseconds(patience + GRACE));
            let answer = if event.is_null() { None } else { Some(read(event)) };
            if !event.is_null() {
                sys::rd_kafka_event_destroy(event);
            }
            sys::rd_kafka_AdminOptions_destroy(options);
            sys::rd_kafka_queue_destroy(queue);
            answer
        };
        match answer {
            Some(Ok(hosts)) => Ok(hosts),
            Some(Err(cause)) if cause.code() == Some(RDKafkaErrorCode::GroupAuthorizationFailed) => {
                Err(refused(&group, cause))
            }
            Some(Err(cause)) if cause.code() != Some(RDKafkaErrorCode::OperationTimedOut) => {
                tracing::debug!(group, %cause, "the brokers do not say who is in the group");
                Ok(Vec::new())
            }
            Some(Err(cause)) => Err(unreachable(&settings, patience, Some(cause))),
            None => Err(unreachable(&settings, patience, client.context().broker_error())),
        }
    })
    .await
}

fn unreachable(settings: &KafkaSettings, waited: Duration, source: Option<Cause>) -> KafkaError {
    KafkaError::Unreachable { bootstrap: settings.bootstrap_servers.clone(), waited, source }
}

/// The hosts of the members of the one group that was asked for.
///
/// # Safety
///
/// `event` is a live answer to `rd_kafka_DescribeConsumerGroups`.
unsafe fn read(event: *mut sys::rd_kafka_event_t) -> Result<Vec<String>, Cause> {
    // SAFETY: what is asked of the event, of the group's description in it and of the members in that belongs to the event,
    // which lives, by this function's contract; there are as many as are counted, and texts are copied.
    unsafe {
        let code = RDKafkaErrorCode::from(sys::rd_kafka_event_error(event));
        if code != RDKafkaErrorCode::NoError {
            return Err(Cause::new(code, text(sys::rd_kafka_event_error_string(event))));
        }
        let result = sys::rd_kafka_event_DescribeConsumerGroups_result(event);
        let mut count = 0;
        let groups = sys::rd_kafka_DescribeConsumerGroups_result_groups(result, &raw mut count);
        if groups.is_null() || count == 0 {
            return Ok(Vec::new());
        }
        let error = sys::rd_kafka_ConsumerGroupDescription_error(*groups);
        if !error.is_null() {
            let code = RDKafkaErrorCode::from(sys::rd_kafka_error_code(error));
            return Err(Cause::new(code, text(sys::rd_kafka_error_string(error))));
        }
        let members = 0..sys::rd_kafka_ConsumerGroupDescription_member_count(*groups);
        let host = |index| {
            let member = sys::rd_kafka_ConsumerGroupDescription_member(*groups, index);
            text(sys::rd_kafka_MemberDescription_host(member)).trim_start_matches('/').to_owned()
        };
        Ok(members.map(host).collect())
    }
}
