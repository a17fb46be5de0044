//! What is done with personal data in records before anything leaves memory.

use std::sync::Arc;

use super::kind::Kind;
use super::names::api_name;
use super::property::{Property, properties};
use super::reader::Reader;
use crate::configured::Pointer;
use crate::operation::OperationFacts;
use crate::redaction::{Action, Redaction, Rules};
use crate::secret::Secret;

/// How short what hashes are made with may be, in bytes: whoever tries out all shorter ones finds it soon.
const SHORTEST: usize = 8;

const RULES: Kind<Rules> = Kind::Text {
    type_name: "string",
    expected: "a list of rules such as `/email -> HASH; /phones/*/number -> MASK`, in which `;` stands between rules, `*` for \
               every member or element, and the actions are DROP, MASK and HASH",
    parse: |text| text.parse().ok(),
};

properties! {
    in OF_APIS;

    REDACT: Rules = Property::new(
        "record.redact",
        RULES,
        "What is done with personal data before anything is made of a record: rules with `;` between them, each a JSON Pointer \
         from the record, in which `*` stands for every member or element, and an action. DROP: the field goes. MASK: the \
         empty value of its type stands there, as of Kafka Connect's `MaskField`. HASH: the HMAC-SHA-256 of the value with \
         `record.redact.salt` stands there, as hexadecimal text, the same of equal values. A generated connector does what the \
         annotation `redact` says if this is not set.",
    ).per_api();
}

properties! {
    in GLOBAL;

    SALT: Secret = Property::new(
        "record.redact.salt",
        Kind::Text {
            type_name: "password",
            expected: "a text of at least 8 bytes",
            parse: |text| (text.len() >= SHORTEST).then(|| Secret::new(text)),
        },
        "The key that the HASH of `record.redact` is made with. With another one, all hashes are others.",
    ).hidden();
}

/// A field of the records that the stream itself uses.
pub(super) struct Used<'a> {
    /// Where it is.
    pub(super) at: &'a Pointer,
    /// What for, to go into a sentence.
    pub(super) what: &'static str,
    /// Whether a hash does as well.
    pub(super) takes_hash: bool,
}

impl<'a> Used<'a> {
    /// A field that says how far the stream has been read, or what is asked for.
    pub(super) fn as_sent(at: &'a Pointer, what: &'static str) -> Self {
        Self { at, what, takes_hash: false }
    }
}

/// Reads what is done with the records of one operation; `annotated` if nothing is configured.
pub(super) fn read(
    reader: &mut Reader<'_>,
    number: usize,
    annotated: &str,
    used: &[Used<'_>],
) -> Option<Option<Arc<Redaction>>> {
    let (name, salt) = (api_name(number, REDACT.name()), reader.get(&SALT));
    let rules = match reader.has(&name) {
        true => reader.get_of(number, &REDACT)?,
        // The generator has read it.
        false => annotated.parse().unwrap_or_default(),
    };
    for Used { at, what, takes_hash } in used {
        let Some((place, action)) = rules.change(at) else { continue };
        if *takes_hash && action == Action::Hash {
            continue;
        }
        let hint = takes_hash.then(|| "hash it: equal values stay equal".to_owned());
        reader.conflict(&name, format!("says {action} of `{place}`, but `{at}` is {what}"), hint);
    }
    if rules.hashes() && salt.is_none() {
        reader.require(
            &SALT,
            "what is hashed can be found out by trying values, unless the hash has a key that nobody knows",
        );
        return None;
    }
    Some((!rules.is_empty()).then(|| Arc::new(Redaction::new(rules, salt.as_ref()))))
}

/// The field of a generated operation that says how far its stream has been read.
pub(super) fn offset_of(facts: &OperationFacts) -> Option<Pointer> {
    Pointer::parse(&facts.incremental.as_ref()?.field)
}
