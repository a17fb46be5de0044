//! References in values: `${env:NAME}`, `${file:PATH:KEY}`, `${dir:PATH:KEY}` and `${secrets:PATH/KEY}`, the first three
//! as Kafka's configuration providers of these names have it. What they stand for is never printed.

use std::path::{Component, Path, PathBuf};

use super::environment::Environment;
use super::raw;
use crate::config::suggest::nearest;

/// The environment variable that names the directory of `${secrets:…}`.
pub(super) const SECRETS_DIR: &str = "HEADWATER_SECRETS_DIR";

/// What templates take arguments for: these are theirs.
const VARIABLES: [&str; 4] = ["config", "now", "start_time", "end_time"];

const PROVIDERS: [&str; 4] = ["env", "file", "dir", "secrets"];

/// A reference that leads to nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReferenceError {
    /// As it is written.
    pub(super) reference: String,
    /// Why not, to follow a comma.
    pub(super) reason: String,
    pub(super) hint: Option<String>,
}

/// A value with its references resolved.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) text: String,
    /// Whether there were any.
    pub(super) referred: bool,
}

/// Replaces every reference in a value, once: what it stands for is not searched again. `${…}` without a colon is no
/// reference but a template's variable, as are those of [`VARIABLES`], and is left as it is.
pub(super) fn resolve(value: &str, environment: &Environment) -> Result<Resolved, Vec<ReferenceError>> {
    let (mut text, mut errors, mut referred) = (String::new(), Vec::new(), false);
    let mut rest = value;
    while let Some((before, inner, after)) = next_reference(rest) {
        text.push_str(before);
        rest = after;
        match inner.split_once(':') {
            Some((provider, argument)) if !VARIABLES.contains(&provider) => {
                referred = true;
                match look_up(provider, argument, environment) {
                    Ok(found) => text.push_str(&found),
                    Err((reason, hint)) => {
                        errors.push(ReferenceError { reference: format!("${{{inner}}}"), reason, hint });
                    }
                }
            }
            _ => text.push_str(&format!("${{{inner}}}")),
        }
    }
    text.push_str(rest);
    if errors.is_empty() { Ok(Resolved { text, referred }) } else { Err(errors) }
}

/// The references of a value that lead to something, as they are written, and what they stand for.
pub(super) fn found(value: &str, environment: &Environment) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = value;
    while let Some((_, inner, after)) = next_reference(rest) {
        rest = after;
        if let Some((provider, argument)) = inner.split_once(':')
            && !VARIABLES.contains(&provider)
            && let Ok(text) = look_up(provider, argument, environment)
        {
            found.push((format!("${{{inner}}}"), text));
        }
    }
    found
}

/// Splits a text at its first `${…}`.
fn next_reference(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    let (inner, after) = rest.split_once('}')?;
    Some((before, inner, after))
}

type Failure = (String, Option<String>);

fn fails(reason: impl Into<String>) -> Failure {
    (reason.into(), None)
}

fn look_up(provider: &str, argument: &str, environment: &Environment) -> Result<String, Failure> {
    match provider {
        "env" => environment
            .get(argument)
            .map(str::to_owned)
            .ok_or_else(|| fails("but there is no environment variable of this name")),
        "file" => {
            let (path, key) = split(argument)?;
            let entries = raw::read(Path::new(path)).map_err(|error| {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
                fails(format!("but {error} failed{cause}"))
            })?;
            // As in Java, the last one of a name counts.
            let found = entries.into_iter().rfind(|entry| entry.name == key);
            found.map(|entry| entry.text).ok_or_else(|| fails("but the file has no such key"))
        }
        "dir" => {
            let (path, key) = split(argument)?;
            read_below(Path::new(path), key)
        }
        "secrets" => match environment.get(SECRETS_DIR).filter(|path| !path.is_empty()) {
            Some(path) => read_below(Path::new(path), argument),
            None => Err((
                format!("but `{SECRETS_DIR}` is not set"),
                Some(format!("set `{SECRETS_DIR}` to the directory that the secrets are mounted in")),
            )),
        },
        unknown => Err((
            format!("but `{unknown}` is none of `{}`", PROVIDERS.join("`, `")),
            nearest(unknown, PROVIDERS).map(|provider| format!("did you mean `${{{provider}:…}}`?")),
        )),
    }
}

/// Splits `PATH:KEY` at its last colon.
fn split(argument: &str) -> Result<(&str, &str), Failure> {
    let parts = argument.rsplit_once(':').filter(|(path, key)| !path.is_empty() && !key.is_empty());
    parts.ok_or_else(|| fails("which names no path and key, as in `PATH:KEY`"))
}

/// Reads a file below a directory. The line break that editors put at a file's end is no part of a secret.
fn read_below(directory: &Path, name: &str) -> Result<String, Failure> {
    let name = Path::new(name);
    if name.as_os_str().is_empty() || !name.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(fails("which does not lead below the directory"));
    }
    let path: PathBuf = directory.join(name);
    let mut text = std::fs::read_to_string(&path)
        .map_err(|error| fails(format!("but `{}` cannot be read: {error}", path.display())))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(entries: &[(&str, &str)]) -> Environment {
        entries.iter().copied().collect()
    }

    fn reason(value: &str, environment: &Environment) -> String {
        resolve(value, environment).unwrap_err().remove(0).reason
    }

    #[test]
    fn resolves_each_kind_inside_a_value() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("s.properties"), "user=u\ntoken=first\ntoken=t:1\n").unwrap();
        std::fs::write(at("s.json"), r#"{"n": 7}"#).unwrap();
        std::fs::create_dir(at("api")).unwrap();
        std::fs::write(at("api/token"), " t2 \r\n").unwrap();
        let environment = environment(&[("HOST", "h"), (SECRETS_DIR, &folder.path().display().to_string())]);
        let text = |value: &str| resolve(value, &environment).unwrap().text;
        assert_eq!(text("https://${env:HOST}/${env:HOST}"), "https://h/h");
        assert_eq!(text(&format!("${{file:{}:token}}", at("s.properties"))), "t:1");
        assert_eq!(text(&format!("${{file:{}:n}}", at("s.json"))), "7");
        assert_eq!(text(&format!("<${{dir:{}:token}}>", at("api"))), "< t2 >");
        assert_eq!(text("${secrets:api/token}"), " t2 ");
        assert!(resolve("${env:HOST}", &environment).unwrap().referred);
    }

    #[test]
    fn leaves_templates_alone() {
        let untouched = Resolved { text: "a/${offset}/$x/${".to_owned(), referred: false };
        assert_eq!(resolve("a/${offset}/$x/${", &environment(&[])), Ok(untouched));
        assert_eq!(resolve("${config:a}${now:%H}", &environment(&[])).unwrap().text, "${config:a}${now:%H}");
    }

    #[test]
    fn does_not_search_what_a_reference_stands_for() {
        let environment = environment(&[("A", "${env:B}"), ("B", "no")]);
        assert_eq!(resolve("${env:A}", &environment).unwrap().text, "${env:B}");
    }

    #[test]
    fn says_why_a_reference_leads_to_nothing() {
        let none = environment(&[]);
        assert_eq!(reason("${env:X}", &none), "but there is no environment variable of this name");
        assert!(reason("${file:/none/s.properties:k}", &none).starts_with("but reading `/none/s.properties` failed: "));
        assert!(reason("${file:x}", &none).starts_with("which names no path and key"));
        assert!(reason("${dir:/none:k}", &none).starts_with("but `/none/k` cannot be read: "));
        assert_eq!(reason("${dir:/none:../k}", &none), "which does not lead below the directory");
        assert_eq!(reason("${secrets:a/k}", &none), "but `HEADWATER_SECRETS_DIR` is not set");
        let unknown = resolve("${evn:X}", &none).unwrap_err().remove(0);
        assert_eq!(unknown.reference, "${evn:X}");
        assert_eq!(unknown.hint.as_deref(), Some("did you mean `${env:…}`?"));
        assert_eq!(resolve("${env:X}${env:Y}", &none).unwrap_err().len(), 2, "all of them are told");
    }
}
