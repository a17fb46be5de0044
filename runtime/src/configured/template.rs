//! Texts with variables, as configuration writes them: `${offset}`, `${primary_key}`, `${start_time}`, `${end_time}`,
//! `${now}`, `${config:NAME}`, and the values of slices: `${parent.NAME}`, `${slice.NAME}`.

use jiff::Timestamp;
use thiserror::Error;

use super::time::TimeFormat;
use crate::random;
use crate::slice::{Slice, SliceError};

/// A text with variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// As it is written.
    Text(String),
    /// What another property holds.
    Value(String),
    Variable(Variable),
}

/// What is known only when the request is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Variable {
    /// Where the stream stands.
    Offset,
    /// The primary key of the last record.
    PrimaryKey,
    /// The beginning of the time window.
    Start(TimeFormat),
    /// The end of the time window.
    End(TimeFormat),
    /// The time of the request.
    Now(TimeFormat),
    /// A value of the slice that is read.
    Slice(String),
    /// A random UUID (RFC 9562 section 5.4), another one in each place.
    Uuid,
}

/// A text with a variable that there is not.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("holds `${{{variable}}}`, {reason}")]
pub struct TemplateError {
    variable: String,
    reason: String,
}

/// The names of the variables that stand for themselves.
pub(crate) const VARIABLES: [&str; 6] = ["offset", "primary_key", "start_time", "end_time", "now", "uuid"];

/// What the variables stand for in one request.
#[derive(Clone, Debug)]
pub(crate) struct Values<'a> {
    pub(crate) offset: &'a str,
    /// Whether the offset may be a part of a URL that the API gave.
    pub(crate) offset_is_from_api: bool,
    pub(crate) primary_key: &'a str,
    pub(crate) window: Option<(Timestamp, Timestamp)>,
    pub(crate) now: Timestamp,
}

impl Values<'_> {
    fn text(&self, variable: &Variable) -> String {
        let bound = |end: bool, format: &TimeFormat| {
            let window = self.window.map(|(from, to)| if end { to } else { from });
            window.map(|at| format.write(at)).unwrap_or_default()
        };
        match variable {
            Variable::Offset => self.offset.to_owned(),
            Variable::PrimaryKey => self.primary_key.to_owned(),
            Variable::Start(format) => bound(false, format),
            Variable::End(format) => bound(true, format),
            Variable::Now(format) => format.write(self.now),
            // It has been put in.
            Variable::Slice(_) => String::new(),
            Variable::Uuid => random::uuid(),
        }
    }
}

/// A part of a template, for what puts it into its place.
pub(crate) enum Rendered<'a> {
    /// As it is written.
    Text(&'a str),
    /// What stands in place of a variable.
    Value(&'a str),
    /// A part of a URL, which is encoded already.
    UrlPart(&'a str),
}

impl Template {
    /// Reads a template. `property` tells the value of another property; `format` is how the bounds of time windows are
    /// written unless the template says otherwise.
    ///
    /// # Errors
    ///
    /// If there is no such variable, property, or form of a time.
    pub fn parse(
        text: &str,
        format: &TimeFormat,
        property: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, name, after)) = next_variable(rest) {
            push_text(&mut parts, before);
            parts.push(variable(name, format, property)?);
            rest = after;
        }
        push_text(&mut parts, rest);
        Ok(Self { parts })
    }

    /// A text without variables.
    pub fn text(text: &str) -> Self {
        Self { parts: vec![Part::Text(text.to_owned())] }
    }

    /// Whether the template holds a variable that `is` picks.
    pub(crate) fn uses(&self, is: impl Fn(&Variable) -> bool) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Variable(variable) if is(variable)))
    }

    /// Puts `other` in place of every occurrence of `name` in the text; `false` if there is none. What is put in counts as
    /// a value.
    pub(crate) fn put(&mut self, name: &str, other: &Self) -> bool {
        let mut found = false;
        let mut parts = Vec::new();
        for part in std::mem::take(&mut self.parts) {
            let Part::Text(text) = part else {
                parts.push(part);
                continue;
            };
            let mut pieces = text.split(name);
            push_text(&mut parts, pieces.next().unwrap_or_default());
            for piece in pieces {
                found = true;
                parts.extend(other.parts.iter().cloned().map(|part| match part {
                    Part::Text(text) => Part::Value(text),
                    part => part,
                }));
                push_text(&mut parts, piece);
            }
        }
        self.parts = parts;
        found
    }

    /// The names of the slice's values that the template holds.
    pub(crate) fn slice_values(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(Variable::Slice(name)) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Puts the values of a slice in.
    ///
    /// # Errors
    ///
    /// If the slice lacks one of them.
    pub(crate) fn put_slice(&mut self, slice: &Slice) -> Result<(), SliceError> {
        for part in &mut self.parts {
            if let Part::Variable(Variable::Slice(name)) = part {
                let value = slice.get(name).ok_or_else(|| SliceError::Missing { name: name.clone() })?;
                *part = Part::Value(value.to_owned());
            }
        }
        Ok(())
    }

    /// The texts between the variables.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None })
    }

    /// Hands the parts over in their order, variables as what they stand for.
    pub(crate) fn render(&self, values: &Values<'_>, mut part: impl FnMut(Rendered<'_>)) {
        for each in &self.parts {
            match each {
                Part::Text(text) => part(Rendered::Text(text)),
                Part::Value(text) => part(Rendered::Value(text)),
                Part::Variable(Variable::Offset)
                    if values.offset_is_from_api && values.offset.starts_with(['/', '?']) =>
                {
                    part(Rendered::UrlPart(values.offset));
                }
                Part::Variable(variable) => part(Rendered::Value(&values.text(variable))),
            }
        }
    }

    /// The text, with nothing encoded.
    pub(crate) fn plain(&self, values: &Values<'_>) -> String {
        let mut out = String::new();
        self.render(values, |part| match part {
            Rendered::Text(text) | Rendered::Value(text) | Rendered::UrlPart(text) => out.push_str(text),
        });
        out
    }
}

/// Splits a text at its first `${…}`.
fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// The names that a text takes from other properties by `${config:NAME}`.
pub(crate) fn properties_of(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, name, after)) = next_variable(rest) {
        names.extend(name.strip_prefix("config:"));
        rest = after;
    }
    names
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
}

fn variable(text: &str, format: &TimeFormat, property: &dyn Fn(&str) -> Option<String>) -> Result<Part, TemplateError> {
    let fails = |reason: String| TemplateError { variable: text.to_owned(), reason };
    let (name, argument) = match text.split_once(':') {
        Some((name, argument)) => (name, Some(argument)),
        None => (text, None),
    };
    let time = |default: &TimeFormat| match argument {
        None => Ok(default.clone()),
        Some(argument) => TimeFormat::parse(argument)
            .ok_or_else(|| fails(format!("in which `{argument}` is no form of a time: {}", TimeFormat::EXPECTED))),
    };
    let variable = match (name, argument) {
        ("offset", None) => Variable::Offset,
        ("primary_key", None) => Variable::PrimaryKey,
        ("start_time", _) => Variable::Start(time(format)?),
        ("end_time", _) => Variable::End(time(format)?),
        ("now", _) => Variable::Now(time(&TimeFormat::Rfc3339)?),
        ("uuid", None) => Variable::Uuid,
        ("config", Some(name)) => {
            let value = property(name).ok_or_else(|| fails(format!("but property `{name}` is not set")))?;
            return Ok(Part::Value(value));
        }
        // The one value that is bound without a name.
        ("parent_value", None) => Variable::Slice(name.to_owned()),
        (name, None) if value_of_slice(name).is_some() => {
            Variable::Slice(value_of_slice(name).unwrap_or_default().to_owned())
        }
        _ => {
            let all = format!(
                "`${{{}}}`, `${{parent.NAME}}`, `${{slice.NAME}}`, `${{config:NAME}}`",
                VARIABLES.join("}`, `${")
            );
            return Err(fails(format!("which is none of {all}")));
        }
    };
    Ok(Part::Variable(variable))
}

/// The name of the value that a variable takes from the slice.
fn value_of_slice(variable: &str) -> Option<&str> {
    let name = variable.strip_prefix("parent.").or_else(|| variable.strip_prefix("slice."))?;
    Some(name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Template, TemplateError> {
        let property = |name: &str| (name == "team").then(|| "a/b".to_owned());
        Template::parse(text, &TimeFormat::UnixMillis, &property)
    }

    fn values() -> Values<'static> {
        let at = |text: &str| text.parse().unwrap();
        Values {
            offset: "7",
            offset_is_from_api: false,
            primary_key: "k",
            window: Some((at("2024-01-01T00:00:00Z"), at("2024-01-02T00:00:00Z"))),
            now: at("2024-05-06T07:08:09.5Z"),
        }
    }

    #[test]
    fn variables_stand_for_what_the_request_needs() {
        for (template, text) in [
            ("a", "a"),
            ("${offset}-${primary_key}", "7-k"),
            ("${start_time}/${end_time}", "1704067200000/1704153600000"),
            ("${start_time:unix}/${end_time:%d.%m.}", "1704067200/02.01."),
            ("${now}", "2024-05-06T07:08:09.5Z"),
            ("${now:unix_ms} ${now:%Y-%m-%dT%H}", "1714979289500 2024-05-06T07"),
            ("${config:team}", "a/b"),
            ("$5 {x} ${", "$5 {x} ${"),
        ] {
            assert_eq!(parse(template).unwrap().plain(&values()), text);
        }
    }

    #[test]
    fn a_uuid_is_random_and_says_so() {
        let uuids = parse("${uuid} ${uuid}").unwrap().plain(&values());
        let (one, other) = uuids.split_once(' ').unwrap();
        assert_ne!(one, other);
        let parts: Vec<_> = one.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']), "{one}");
    }

    #[test]
    fn a_variable_that_there_is_not_is_an_error() {
        let reason = |text: &str| parse(text).unwrap_err().to_string();
        assert!(reason("${ofset}").starts_with("holds `${ofset}`, which is none of `${offset}`, `${primary_key}`"));
        assert_eq!(reason("${config:teem}"), "holds `${config:teem}`, but property `teem` is not set");
        assert!(reason("${now:soon}").starts_with("holds `${now:soon}`, in which `soon` is no form of a time: "));
        assert!(parse("${offset:7}").is_err());
        assert_eq!(properties_of("${config:a}/${offset}/${config:b}"), ["a", "b"]);
    }

    #[test]
    fn a_parameter_is_put_in_as_a_value() {
        let mut template = parse("/a/{id}/b/{id}").unwrap();
        assert!(template.put("{id}", &parse("x-${offset}").unwrap()));
        assert!(!template.put("{other}", &parse("y").unwrap()));
        assert_eq!(template.plain(&values()), "/a/x-7/b/x-7");
        assert_eq!(template.texts().collect::<Vec<_>>(), ["/a/", "/b/"]);
    }
}
