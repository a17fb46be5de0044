//! Which documents there are.

use std::fs;
use std::path::{Path, PathBuf};

use crate::HarnessError;
use crate::program::workspace;

/// An OpenAPI document in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The file's name without its extension.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

impl Document {
    /// The document in this file.
    pub fn of(path: PathBuf) -> Self {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self { name, path }
    }
}

/// Where documents of others are, beside the checkout.
pub fn shared() -> PathBuf {
    workspace().join("../shared/specs")
}

/// Our own documents, one in each folder of `specs/`, named after it.
///
/// # Errors
///
/// If the folder cannot be read.
pub fn own() -> Result<Vec<Document>, HarnessError> {
    let folders = entries(&workspace().join("specs"))?;
    let documents = folders.into_iter().map(|folder| Document {
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        path: folder.join("openapi.yaml"),
    });
    Ok(documents.filter(|document| document.path.is_file()).collect())
}

/// Every OpenAPI document in a folder and, in each folder below it, those that no other file there refers to. Ordered by
/// path.
///
/// # Errors
///
/// If a file or folder cannot be read.
pub fn documents(folder: &Path) -> Result<Vec<Document>, HarnessError> {
    let mut found = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            found.extend(roots(&path)?);
        } else if is_document(&path, &read(&path)?) {
            found.push(Document::of(path));
        }
    }
    Ok(found)
}

/// The documents of one API that is spread over a folder's files: those that no other file refers to.
fn roots(folder: &Path) -> Result<Vec<Document>, HarnessError> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    let refers = |name: &str| {
        let reference = format!("/{name}#");
        files.iter().any(|(_, text)| text.contains(&reference) || text.contains(&format!("'{name}#")))
    };
    let is_root = |path: &Path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| !refers(name));
    let roots = files.iter().filter(|(path, text)| is_document(path, text) && is_root(path));
    Ok(roots.map(|(path, _)| Document::of(path.clone())).collect())
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, String)>) -> Result<(), HarnessError> {
    for path in entries(folder)? {
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            let text = read(&path)?;
            files.push((path, text));
        }
    }
    Ok(())
}

/// Whether a file is an OpenAPI 3 document. That is asked of its text: reading a document is the generator's business.
fn is_document(path: &Path, text: &str) -> bool {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => text.contains("\"openapi\""),
        Some("yaml" | "yml") => {
            text.lines().any(|line| line.trim_matches(['"', '\'']).starts_with("openapi") && line.contains(": "))
        }
        _ => false,
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, HarnessError> {
    let failed = || HarnessError::io(format!("reading {}", folder.display()));
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed())? {
        entries.push(entry.map_err(failed())?.path());
    }
    entries.sort();
    Ok(entries)
}

fn read(path: &Path) -> Result<String, HarnessError> {
    let bytes = fs::read(path).map_err(HarnessError::io(format!("reading {}", path.display())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
