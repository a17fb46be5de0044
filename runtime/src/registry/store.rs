//! What the embedded registry keeps.

use std::collections::BTreeMap;

use super::client::SchemaId;

/// The language that a schema is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SchemaType {
    /// Avro.
    Avro,
    /// JSON Schema.
    Json,
    /// Protobuf.
    Protobuf,
}

impl SchemaType {
    /// What registries call it; `None` for the one that they had before there were others.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Avro => None,
            Self::Json => Some("JSON"),
            Self::Protobuf => Some("PROTOBUF"),
        }
    }
}

/// A schema: its language, and its text without insignificant blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Schema {
    pub(super) language: SchemaType,
    pub(super) text: String,
}

/// A subject's version of a schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'a> {
    pub(super) subject: &'a str,
    pub(super) number: usize,
    pub(super) id: SchemaId,
    pub(super) schema: &'a Schema,
}

/// Which version of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VersionNumber {
    /// Counted from 1.
    Number(usize),
    Latest,
}

/// What is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Subject(String),
    Version(usize),
    Schema,
}

/// Subjects, their versions, and all schemas ever registered.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// The schema of id 1 comes first.
    schemas: Vec<Schema>,
    /// A subject's version 1 comes first.
    subjects: BTreeMap<String, Vec<SchemaId>>,
    /// The rule of all subjects that have none of their own.
    pub(super) compatibility: Compatibility,
    /// Rules of subjects.
    pub(super) compatibilities: BTreeMap<String, Compatibility>,
}

/// A compatibility rule, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Compatibility(pub(super) String);

impl Default for Compatibility {
    fn default() -> Self {
        Self("BACKWARD".to_owned())
    }
}

impl Store {
    /// Makes a schema a version of a subject, unless it is one already.
    pub(super) fn register(&mut self, subject: &str, schema: Schema) -> SchemaId {
        let id = match self.id(&schema) {
            Some(id) => id,
            None => {
                self.schemas.push(schema);
                SchemaId(u32::try_from(self.schemas.len()).unwrap_or(u32::MAX))
            }
        };
        let versions = self.subjects.entry(subject.to_owned()).or_default();
        if !versions.contains(&id) {
            versions.push(id);
        }
        id
    }

    pub(super) fn subjects(&self) -> Vec<&str> {
        self.subjects.keys().map(String::as_str).collect()
    }

    /// The numbers of a subject's versions.
    pub(super) fn versions(&self, subject: &str) -> Result<Vec<usize>, Missing> {
        Ok((1..=self.ids(subject)?.len()).collect())
    }

    pub(super) fn version<'a>(&'a self, subject: &'a str, version: VersionNumber) -> Result<Version<'a>, Missing> {
        let ids = self.ids(subject)?;
        let number = match version {
            VersionNumber::Number(number) => number,
            VersionNumber::Latest => ids.len(),
        };
        let id = number.checked_sub(1).and_then(|index| ids.get(index)).ok_or(Missing::Version(number))?;
        Ok(Version { subject, number, id: *id, schema: self.schema(*id)? })
    }

    /// The version of a subject that a schema is.
    pub(super) fn find<'a>(&'a self, subject: &'a str, schema: &Schema) -> Result<Version<'a>, Missing> {
        let ids = self.ids(subject)?;
        let id = self.id(schema).ok_or(Missing::Schema)?;
        let index = ids.iter().position(|version| *version == id).ok_or(Missing::Schema)?;
        self.version(subject, VersionNumber::Number(index + 1))
    }

    pub(super) fn schema(&self, id: SchemaId) -> Result<&Schema, Missing> {
        let index = usize::try_from(id.0).ok().and_then(|id| id.checked_sub(1));
        index.and_then(|index| self.schemas.get(index)).ok_or(Missing::Schema)
    }

    /// Forgets a subject and returns the numbers of its versions. Ids stay: there may be messages that name them.
    pub(super) fn delete(&mut self, subject: &str) -> Result<Vec<usize>, Missing> {
        let versions = self.versions(subject)?;
        self.subjects.remove(subject);
        Ok(versions)
    }

    fn ids(&self, subject: &str) -> Result<&[SchemaId], Missing> {
        self.subjects.get(subject).map(Vec::as_slice).ok_or_else(|| Missing::Subject(subject.to_owned()))
    }

    fn id(&self, schema: &Schema) -> Option<SchemaId> {
        let index = self.schemas.iter().position(|known| known == schema)?;
        u32::try_from(index + 1).ok().map(SchemaId)
    }
}
