//! Stage 1: files → one typed document. Reads JSON or YAML, also of several files, lays overlays over it, checks `$ref`s, and brings what real
//! documents contain into the form that `openapiv3` models.

mod bundle;
mod fault;
mod network;
mod normalise;
mod overlay;
mod part;
pub(crate) mod pointer;
mod read;
mod refs;
mod repair;
mod source;
mod typed;
mod walk;
mod yaml;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use openapiv3::OpenAPI;
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::fault::Faults;
pub use self::network::{Fetch, Fetched, Reading};
use self::overlay::Unmatched;
use self::repair::Repairs;
use self::source::Sources;
use crate::diagnostic::{Diagnostic, Diagnostics, Place};

/// A document, ready to be planned from.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file, as the user named it.
    pub file: String,
    /// SHA-256 of the document after overlays, as JSON without white space, in lower-case hexadecimal.
    pub sha256: String,
    /// What it says, typed. Every `$ref` in it leads to a component that exists, or stands for what cannot be read.
    pub api: OpenAPI,
    /// What it says, as JSON: what `api` was made from.
    pub value: Value,
    origins: Vec<overlay::Origin>,
    sources: Sources,
    faults: Faults,
    repairs: Vec<Diagnostic>,
}

/// What is known of a document beside what it says.
struct Told {
    origins: Vec<overlay::Origin>,
    sources: Sources,
    faults: Faults,
    warnings: Diagnostics,
}

impl Document {
    /// Reads a document from files alone and lays `overlays` over it, in their order.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the files as a whole, as far as it can be told at once. What only some operations
    /// need is no error yet.
    pub fn load(path: &Path, overlays: &[PathBuf]) -> Result<Self, Diagnostics> {
        Self::read(path, overlays, Reading::default())
    }

    /// As [`Document::load`], in another way.
    ///
    /// # Errors
    ///
    /// As [`Document::load`].
    pub fn read(path: &Path, overlays: &[PathBuf], reading: Reading<'_>) -> Result<Self, Diagnostics> {
        let unmatched = if reading.overlays_may_miss { Unmatched::Ignored } else { Unmatched::Warned };
        let file = path.display().to_string();
        let mut diagnostics = Diagnostics::default();
        let mut read = |path: &Path| read::read(path).map_err(|said| diagnostics.append(said)).ok();
        let value = read(path);
        let overlays: Vec<_> = overlays.iter().map(|path| (path.display().to_string(), read(path))).collect();
        let Some(mut value) = value else { return Err(diagnostics) };
        check_version(&value, &file)?;
        // Before the overlays, so that they can change what stands in other files too.
        let (mut sources, mut faults) = (Sources::new(&file), Faults::default());
        bundle::bundle(&mut value, path, reading.network, &mut sources, &mut faults);
        let mut origins = Vec::new();
        for (file, overlay) in &overlays {
            if let Some(overlay) = overlay {
                overlay::apply(&mut value, overlay, file, unmatched, &mut origins, &mut diagnostics);
            }
        }
        let sha256 = Sha256::digest(value.to_string()).iter().map(|byte| format!("{byte:02x}")).collect();
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        Self::of_value(value, file, sha256, Told { origins, sources, faults, warnings: diagnostics })
    }

    /// What is left to do when the text of the document is complete.
    fn of_value(mut value: Value, file: String, sha256: String, told: Told) -> Result<Self, Diagnostics> {
        let Told { origins, mut sources, mut faults, warnings } = told;
        let mut repairs = Repairs::default();
        repair::objects(&mut value, &mut repairs);
        refs::resolve(&mut value, &mut sources, &mut faults);
        // Again, because what has been copied was in no place where objects are looked for.
        repair::objects(&mut value, &mut repairs);
        repair::operations(&mut value, &mut repairs);
        normalise::normalise(&mut value, &mut repairs);
        let api = typed::parse(&mut value, &sources, &mut faults)?;
        let mut said: Vec<_> = warnings.iter().cloned().collect();
        said.extend(repair::warnings(&repairs, &sources, &origins));
        Ok(Self { file, sha256, api, value, origins, sources, faults, repairs: said })
    }

    /// A document of one operation and some schemas, for tests.
    #[cfg(test)]
    pub(crate) fn of_operation(operation: Value, schemas: Value) -> Self {
        let mut value = serde_json::json!({
            "openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {}, "components": {},
        });
        value["paths"]["/things"]["get"] = operation;
        value["components"]["schemas"] = schemas;
        let told = Told {
            origins: Vec::new(),
            sources: Sources::new("test.yaml"),
            faults: Faults::default(),
            warnings: Diagnostics::default(),
        };
        Self::of_value(value, "test.yaml".to_owned(), String::new(), told)
            .unwrap_or_else(|said| unreachable!("{said:?}"))
    }

    /// A document of one operation that answers with JSON of this schema, for tests.
    #[cfg(test)]
    pub(crate) fn of(response: Value, schemas: Value) -> Self {
        let mut operation =
            serde_json::json!({"operationId": "listThings", "responses": {"200": {"description": "ok"}}});
        operation["responses"]["200"]["content"]["application/json"]["schema"] = response;
        Self::of_operation(operation, schemas)
    }

    /// Says that `diagnostic` is about what stands at `pointer`, and which overlay wrote it there, if one did.
    pub fn locate(&self, diagnostic: Diagnostic, pointer: &str) -> Diagnostic {
        diagnostic.at(self.sources.place(pointer)).from_origin(overlay::origin(&self.origins, pointer))
    }

    /// What in the document cannot be read, as errors.
    pub(crate) fn faults(&self) -> impl Iterator<Item = &Diagnostic> {
        self.faults.iter()
    }

    /// How many schemas are among the components; how many of them cannot be read; and how many the answers of the
    /// operations at `pointers` need.
    pub(crate) fn schemas<'a>(&self, pointers: impl Iterator<Item = &'a str>) -> (usize, usize, usize) {
        const SECTION: &str = "#/components/schemas/";
        let schemas = self.value.pointer("/components/schemas").and_then(Value::as_object);
        let is_fault = |schema: &&Value| walk::reference(schema).is_some_and(fault::is_mark);
        let needed: BTreeSet<&str> = pointers.flat_map(|at| fault::targets(&self.value, at, false)).collect();
        let needed = needed.into_iter().filter(|target| target.starts_with(SECTION));
        (
            schemas.map_or(0, serde_json::Map::len),
            schemas.into_iter().flat_map(serde_json::Map::values).filter(is_fault).count(),
            needed.count(),
        )
    }

    /// What the operation at `pointer` needs of it.
    pub(crate) fn faults_of(&self, pointer: &str) -> Vec<&Diagnostic> {
        self.faults.reached(&self.value, pointer)
    }
}

/// OpenAPI 3.0 is read, and later versions of 3 as far as they say what it can say.
fn check_version(value: &Value, file: &str) -> Result<(), Diagnostics> {
    let version = value.get("openapi").or_else(|| value.get("swagger"));
    // `3.1` without quotes is a number.
    let version = version.map(|version| version.as_str().map_or_else(|| version.to_string(), str::to_owned));
    match version {
        Some(version) if version == "3" || version.starts_with("3.") => Ok(()),
        Some(version) => {
            let is_swagger = value.get("openapi").is_none();
            let (key, hint) = match is_swagger {
                true => {
                    ("/swagger", "convert it first, as with `npx swagger2openapi --yaml --outfile openapi.yaml FILE`")
                }
                false => ("/openapi", "convert the document to OpenAPI 3"),
            };
            Err(Diagnostic::error(format!("the document is of OpenAPI version `{version}`; 3.x is what is read"))
                .at(Place::pointer(file, key))
                .hint(hint)
                .into())
        }
        None => Err(Diagnostic::error("the file is no OpenAPI document: it has no `openapi` with a version")
            .at(Place::file(file))
            .into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn other_versions_are_refused_by_name() {
        assert!(check_version(&json!({"openapi": "3.0.3"}), "d").is_ok());
        let refused = |value| check_version(&value, "d").unwrap_err().iter().next().unwrap().clone();
        assert!(check_version(&json!({"openapi": "3.1.0"}), "d").is_ok());
        let error = refused(json!({"swagger": "2.0"}));
        assert_eq!(error.message, "the document is of OpenAPI version `2.0`; 3.x is what is read");
        assert_eq!(error.place.unwrap().to_string(), "d#/swagger");
        assert!(check_version(&json!([]), "d").is_err());
    }
}
