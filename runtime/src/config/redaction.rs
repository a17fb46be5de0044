//! What is done with personal data in records before anything leaves memory.

use super::kind::Kind;
use super::names::api_name;
use super::property::{Property, properties};
use super::reader::Reader;
use crate::configured::Pointer;
use crate::operation::OperationFacts;
use crate::redaction::{Action, Redaction, RuleError, Rules};
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
pub(super) struct Used {
    /// Where it is.
    pub(super) at: Pointer,
    /// What for, to go into a sentence.
    pub(super) what: &'static str,
    /// Whether a hash does as well.
    pub(super) takes_hash: bool,
}

impl Used {
    /// A field that is needed as it is.
    pub(super) fn as_sent(at: &Pointer, what: &'static str) -> Self {
        Self { at: at.clone(), what, takes_hash: false }
    }

    /// What the response says of its pages, if it says it within a record that it is, `records` being where that is.
    pub(super) fn of_pages(told: &Pointer, records: &Pointer) -> Option<Self> {
        let rest = told.segments().strip_prefix(records.segments()).filter(|rest| !rest.is_empty())?;
        Some(Self::as_sent(&Pointer::of(rest.to_vec()), "what says whether there is another page"))
    }
}

/// Reads what is done with the records of one operation; `annotated` if nothing is configured.
pub(super) fn read(
    reader: &mut Reader<'_>,
    number: usize,
    annotated: &str,
    used: &[Used],
) -> Option<Option<Redaction>> {
    let (name, salt) = (api_name(number, REDACT.name()), reader.get(&SALT));
    let rules = match reader.has(&name) {
        true => reader.get_of(number, &REDACT)?,
        false => match annotated.parse() {
            Ok(rules) => rules,
            // The generator has read it: it is of another version. To go on would show what is to be hidden.
            Err(error) => {
                let error: RuleError = error;
                let hint = "generate the connector again, by the generator of this version".to_owned();
                reader.conflict(&name, format!("is annotated with what cannot be read: {error}"), Some(hint));
                return None;
            }
        },
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
    Some((!rules.is_empty()).then(|| Redaction::new(rules, salt.as_ref())))
}

/// The fields of the records that a generated operation's facts name.
pub(super) fn of_facts(facts: &OperationFacts) -> Vec<Used> {
    let offset = facts.incremental.as_ref().and_then(|incremental| Pointer::parse(&incremental.field));
    let offset = offset.iter().map(|at| Used::as_sent(at, "what the stream's position is made of"));
    let told = [facts.pagination.body_pointer(), facts.pagination.delta_pointer()];
    let told = told.into_iter().flatten().filter_map(Pointer::parse);
    let records = Pointer::parse(&facts.records);
    let of_pages = told.filter_map(|told| Used::of_pages(&told, records.as_ref()?));
    offset.chain(of_pages).collect()
}
