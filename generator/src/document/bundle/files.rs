//! The files of a document, each read once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::refs::{Missing, percent_decode};
use crate::document::walk::reference;
use crate::document::{pointer, read};

/// How many `$ref`s may be on the way that a pointer takes.
const HOPS: usize = 32;

/// A place in one of the files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    /// Index of the file; 0 is the document's own.
    pub(super) file: usize,
    /// JSON Pointer into it.
    pub(super) pointer: String,
}

/// One of them.
struct File {
    /// The path, as the user would write it.
    path: PathBuf,
    value: Value,
}

/// All that have been asked for.
pub(super) struct Files {
    files: Vec<File>,
    /// By their paths, as the system knows them; `Err`: why one cannot be read.
    known: BTreeMap<PathBuf, Result<usize, String>>,
}

impl Files {
    /// The document's own file.
    pub(super) fn new(path: &Path, value: Value) -> Self {
        let known = BTreeMap::from([(key(path), Ok(0))]);
        Self { files: vec![File { path: path.to_owned(), value }], known }
    }

    pub(super) fn name(&self, file: usize) -> String {
        self.files.get(file).map(|file| file.path.display().to_string()).unwrap_or_default()
    }

    /// What the file is called, without folder and extension.
    pub(super) fn stem(&self, file: usize) -> &str {
        let path = self.files.get(file).map(|file| file.path.as_path());
        let stem = |path: &'_ Path| path.file_stem().and_then(|stem| stem.to_str()).map(str::len);
        let Some(path) = path else { return "" };
        // `pet/index.yaml` is about pets.
        let named = match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("index" | "_index") => path.parent().unwrap_or(path),
            _ => path,
        };
        stem(named).and_then(|length| named.file_name()?.to_str()?.get(..length)).unwrap_or_default()
    }

    pub(super) fn value(&self, target: &Target) -> Option<&Value> {
        self.files.get(target.file)?.value.pointer(&target.pointer)
    }

    /// Where a `$ref` in the file `from` leads. What it says of the document's own file is not looked up.
    pub(super) fn follow(&mut self, from: usize, text: &str) -> Result<Target, Box<Diagnostic>> {
        self.follow_within(from, text, HOPS)
    }

    fn follow_within(&mut self, from: usize, text: &str, hops: usize) -> Result<Target, Box<Diagnostic>> {
        let error = |reason: &str| Diagnostic::error(format!("the `$ref` to `{text}` {reason}"));
        let (file, fragment) = text.split_once('#').unwrap_or((text, ""));
        if let Some((scheme, _)) = file.split_once("://") {
            let hint = "download it, and refer to the file";
            return Err(Box::new(match scheme {
                "http" | "https" => error("leads to the network").hint(hint),
                _ => error("leads to no file"),
            }));
        }
        let index = match file {
            "" => from,
            file => self.open(from, file).map_err(|reason| error(&format!("cannot be followed: {reason}")))?,
        };
        let place = percent_decode(fragment);
        if index == 0 {
            return Ok(Target { file: 0, pointer: place });
        }
        if !pointer::is_pointer(&place) {
            return Err(Box::new(error("leads nowhere").hint(format!("`{place}` is no JSON Pointer"))));
        }
        self.find(index, &place, hops).map_err(|stopped| match stopped {
            Stopped::At(file, missing) => {
                let root = self.files.get(file).map_or(&Value::Null, |file| &file.value);
                Box::new(missing.explain(error("leads nowhere"), root))
            }
            Stopped::Circle => Box::new(error("leads only to further `$ref`s, in a circle")),
            Stopped::Within(diagnostic) => diagnostic,
        })
    }

    /// The index of the file that `from` calls `name`, or why it cannot be read.
    fn open(&mut self, from: usize, name: &str) -> Result<usize, String> {
        let folder = self.files.get(from).and_then(|file| file.path.parent()).unwrap_or(Path::new(""));
        let path = flat(&folder.join(percent_decode(name)));
        let key = key(&path);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let opened = match read::read(&path) {
            Ok(value) => {
                self.files.push(File { path, value });
                Ok(self.files.len() - 1)
            }
            Err(said) => Err(reason(&said)),
        };
        self.known.insert(key, opened.clone());
        opened
    }

    /// What a pointer leads to, also by way of `$ref`s.
    fn find(&mut self, file: usize, place: &str, hops: usize) -> Result<Target, Stopped> {
        let mut at = Target { file, pointer: String::new() };
        for segment in pointer::segments(place) {
            if let Some(text) = self.value(&at).and_then(reference).map(str::to_owned) {
                let hops = hops.checked_sub(1).ok_or(Stopped::Circle)?;
                at = self.follow_within(at.file, &text, hops).map_err(Stopped::Within)?;
            }
            let next = pointer::join(&at.pointer, &segment);
            let next = Target { file: at.file, pointer: next };
            if self.value(&next).is_none() {
                let missing = Missing { parent: at.pointer, name: segment.into_owned() };
                return Err(Stopped::At(at.file, missing));
            }
            at = next;
        }
        Ok(at)
    }
}

/// Why a pointer leads nowhere.
enum Stopped {
    /// Something is missing in a file.
    At(usize, Missing),
    /// There is no end to it.
    Circle,
    /// A `$ref` on the way leads nowhere.
    Within(Box<Diagnostic>),
}

fn reason(said: &Diagnostics) -> String {
    let said = said.iter().map(|said| match &said.place {
        Some(place) if place.to_string().contains(':') => format!("{} ({place})", said.message),
        _ => said.message.clone(),
    });
    said.collect::<Vec<_>>().join("; ")
}

fn key(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// `path` without `.`, and without `..` where its text says what that leads back from.
fn flat(path: &Path) -> PathBuf {
    let mut flat = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(flat.components().next_back(), Some(Component::Normal(_))) => {
                flat.pop();
            }
            other => flat.push(other),
        }
    }
    flat
}
