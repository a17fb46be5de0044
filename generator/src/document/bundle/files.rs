//! The files of a document, each read once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::{fmt, fs};

use serde_json::Value;
use url::Url;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::document::network::{Fetch, Fetched};
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

/// Where one of them is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Location {
    /// The path, as the user would write it.
    Path(PathBuf),
    /// In the network, redirects followed.
    Url(Url),
}

impl Location {
    /// Where a `$ref` without fragment, written here, leads.
    fn join(&self, text: &str) -> Result<Self, String> {
        // By the text, not by what parses: `c:/x` is a path.
        if let Some((scheme, _)) = text.split_once("://") {
            return match scheme.to_ascii_lowercase().as_str() {
                "http" | "https" => Url::parse(text).map(Self::Url).map_err(|error| error.to_string()),
                _ => Err(format!("the scheme `{scheme}` is not read")),
            };
        }
        match self {
            Self::Path(path) => {
                let folder = path.parent().unwrap_or(Path::new(""));
                Ok(Self::Path(flat(&folder.join(percent_decode(text)))))
            }
            Self::Url(url) => match url.join(text) {
                Ok(joined) if matches!(joined.scheme(), "http" | "https") => Ok(Self::Url(joined)),
                Ok(joined) => Err(format!("the scheme `{}` is not read", joined.scheme())),
                Err(error) => Err(error.to_string()),
            },
        }
    }

    /// The same for all ways to write it.
    fn canonical(&self) -> Self {
        match self {
            Self::Path(path) => Self::Path(fs::canonicalize(path).unwrap_or_else(|_| path.clone())),
            Self::Url(url) => Self::Url(url.clone()),
        }
    }

    /// Its names from the outermost folder on.
    fn segments(&self) -> Vec<Cow<'_, str>> {
        match self {
            Self::Path(path) => path.iter().map(std::ffi::OsStr::to_string_lossy).collect(),
            Self::Url(url) => {
                url.path_segments().into_iter().flatten().map(|name| percent_decode(name).into()).collect()
            }
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Url(url) => url.fmt(f),
        }
    }
}

/// One of them.
struct File {
    location: Location,
    value: Value,
}

/// All that have been asked for.
pub(super) struct Files<'a> {
    files: Vec<File>,
    /// By where they are; `Err`: why one cannot be read.
    known: BTreeMap<Location, Result<usize, String>>,
    network: Option<&'a dyn Fetch>,
}

impl<'a> Files<'a> {
    /// The document's own file, and the way into the network if there is one.
    pub(super) fn new(path: &Path, value: Value, network: Option<&'a dyn Fetch>) -> Self {
        let location = Location::Path(path.to_owned());
        let known = BTreeMap::from([(location.canonical(), Ok(0))]);
        Self { files: vec![File { location, value }], known, network }
    }

    pub(super) fn name(&self, file: usize) -> String {
        self.files.get(file).map(|file| file.location.to_string()).unwrap_or_default()
    }

    /// What the file is called, without folder and extension.
    pub(super) fn stem(&self, file: usize) -> String {
        let segments = self.files.get(file).map(|file| file.location.segments()).unwrap_or_default();
        let stem = |name: &str| match name.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
            _ => name.to_owned(),
        };
        match segments.as_slice() {
            // `pet/index.yaml` is about pets.
            [.., folder, name] if matches!(stem(name).as_str(), "index" | "_index") => folder.clone().into_owned(),
            [.., name] => stem(name),
            [] => String::new(),
        }
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
        let index = match file {
            "" => from,
            file => self.open(from, file).map_err(|unread| match unread {
                Unread::Network => error("leads to the network").hint(NETWORK),
                Unread::Because(reason) => error(&format!("cannot be followed: {reason}")),
            })?,
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
    fn open(&mut self, from: usize, name: &str) -> Result<usize, Unread> {
        let Some(from) = self.files.get(from) else { return Err(Unread::Because(String::new())) };
        let location = from.location.join(name).map_err(Unread::Because)?;
        let key = location.canonical();
        if let Some(known) = self.known.get(&key) {
            return known.clone().map_err(Unread::Because);
        }
        let opened = match &location {
            Location::Path(path) => read::read(path).map(|value| (location, value)).map_err(|said| reason(&said)),
            Location::Url(url) => fetch(self.network.ok_or(Unread::Network)?, url),
        };
        let opened = opened.map(|(location, value)| {
            // Two ways may lead to the same place.
            let at = location.canonical();
            let known = self.known.get(&at).cloned().and_then(Result::ok);
            known.unwrap_or_else(|| {
                self.files.push(File { location, value });
                self.known.insert(at, Ok(self.files.len() - 1));
                self.files.len() - 1
            })
        });
        self.known.insert(key, opened.clone());
        opened.map_err(Unread::Because)
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

/// What to do about a `$ref` to the network.
const NETWORK: &str = "allow it with `--allow-http-refs`, or download it and refer to the file";

/// Why a file cannot be read.
enum Unread {
    /// It is in the network, to which there is no way.
    Network,
    /// For another reason.
    Because(String),
}

fn fetch(network: &dyn Fetch, url: &Url) -> Result<(Location, Value), String> {
    let Fetched { url, text } = network.fetch(url)?;
    let value = read::text(Path::new(url.path()), url.as_str(), text).map_err(|said| reason(&said))?;
    Ok((Location::Url(url), value))
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
