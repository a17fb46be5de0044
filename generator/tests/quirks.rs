//! What other generators break on, one small document for each (`quirks/NAME.yaml`): what is generated of it (`NAME.txt`, which
//! `UPDATE_EXPECT=1` accepts) compiles without a warning, and keeps every record (`NAME.records.json`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use headwater::emit::{EmitOptions, FileSet, HOOKS, RuntimeDependency, emit, hooks};
use headwater::plan::{LeftOut, PlanOptions, Planned, Selection};
use headwater::{output, plan_document};

/// The document's file and its name.
struct Quirk {
    file: PathBuf,
    name: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/quirks")
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn quirks() -> Vec<Quirk> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    let name = |file: &Path| file.file_stem().unwrap().to_str().unwrap().to_owned();
    files.into_iter().map(|file| Quirk { name: name(&file), file }).collect()
}

impl Quirk {
    fn planned(&self) -> Planned {
        let name = Some(self.name.replace('_', "-"));
        let options = PlanOptions { selection: Selection::All, name, ..PlanOptions::default() };
        plan_document(&self.file, &[], &options).unwrap_or_else(|said| panic!("{}: {said:#?}", self.name))
    }

    fn files(&self, planned: &Planned) -> FileSet {
        let runtime = workspace().join("runtime").to_str().unwrap().to_owned();
        emit(&planned.plan, &EmitOptions { runtime: RuntimeDependency::Path(runtime) })
            .unwrap_or_else(|error| panic!("{}: {error:?}", self.name))
    }

    /// What was said of the document, and the Rust that was made of it.
    fn shown(&self) -> String {
        let planned = self.planned();
        let mut text = String::new();
        for said in planned.warnings.iter() {
            let place = said.place.as_ref().map(|place| place.to_string()).unwrap_or_default();
            let place = place.split_once('#').map_or(place.as_str(), |(_, pointer)| pointer);
            writeln!(text, "{}: {}\n --> #{place}", said.severity, said.message).unwrap();
        }
        for LeftOut { operation_id, reason, .. } in &planned.left_out {
            let reason = reason.replace(&format!("{}/", folder().display()), "");
            writeln!(text, "left out: {operation_id}: {reason}").unwrap();
        }
        for (path, content) in self.files(&planned).iter() {
            let is_shown =
                (path.starts_with("src/models/") || path.starts_with("src/operations/")) && !path.ends_with("/mod.rs");
            if is_shown {
                // The head of the file is the same everywhere.
                let content = std::str::from_utf8(content).unwrap().split_once("\n\n").unwrap().1;
                write!(text, "\n==> {path}\n{content}").unwrap();
            }
        }
        if let Some(hooks) = hooks(&planned.plan).unwrap() {
            write!(text, "\n==> {HOOKS}\n{}", hooks.text).unwrap();
        }
        text
    }

    /// The record's fields as sent, one text for each record.
    fn records(&self) -> PathBuf {
        self.file.with_extension("records.json")
    }
}

#[test]
fn each_becomes_what_it_became() {
    let mut problems = String::new();
    for quirk in quirks() {
        let (shown, golden) = (quirk.shown(), quirk.file.with_extension("txt"));
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&golden, &shown).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if shown != expected {
            let diff = similar::TextDiff::from_lines(&expected, &shown);
            write!(problems, "{}:\n{}", quirk.name, diff.unified_diff().context_radius(2)).unwrap();
        }
    }
    assert!(problems.is_empty(), "{problems}\nUPDATE_EXPECT=1 accepts this");
}

/// A workspace of all the crates, every warning an error, and of one that reads and writes the records of each.
#[test]
fn each_compiles_and_keeps_its_records() {
    let folder = tempfile::tempdir().unwrap();
    let (mut members, mut dependencies, mut tests) = (String::new(), String::new(), String::new());
    for quirk in quirks() {
        let planned = quirk.planned();
        let package = &planned.plan.name;
        output::write(&quirk.files(&planned), &folder.path().join(package)).unwrap();
        if let Some(hooks) = hooks(&planned.plan).unwrap() {
            assert!(output::begin_hooks(&hooks, &folder.path().join(package)).unwrap().is_empty());
        }
        let manifest = folder.path().join(package).join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap() + "\n[lints.rust]\nwarnings = \"deny\"\n";
        fs::write(&manifest, text).unwrap();
        // Nothing is linked for nothing.
        fs::remove_file(folder.path().join(package).join("src/main.rs")).unwrap();
        write!(members, "\"{package}\", ").unwrap();
        writeln!(dependencies, "{package} = {{ path = \"../{package}\" }}").unwrap();
        let stream = planned.plan.streams.iter().find(|stream| stream.operation_id == "listThings").unwrap();
        writeln!(
            tests,
            "#[test]\nfn {}() {{\n    keeps::<{}::operations::{}>(include_str!({:?}));\n}}\n",
            quirk.name,
            quirk.name,
            stream.rust_name,
            quirk.records().display().to_string()
        )
        .unwrap();
    }
    let runner = folder.path().join("runner");
    fs::create_dir_all(runner.join("tests")).unwrap();
    fs::create_dir_all(runner.join("src")).unwrap();
    fs::write(runner.join("src/lib.rs"), "").unwrap();
    fs::write(runner.join("tests/records.rs"), include_str!("quirks/records.rs").to_owned() + &tests).unwrap();
    let manifest = format!(
        "[package]\nname = \"runner\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\
         apache-avro = {{ version = \"0.22\", default-features = false }}\n\
         headwater-runtime = {{ path = {:?} }}\n\
         serde_json = {{ version = \"1\", features = [\"arbitrary_precision\", \"raw_value\"] }}\n",
        workspace().join("runtime").display().to_string()
    );
    fs::write(runner.join("Cargo.toml"), manifest).unwrap();
    let root = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{members}\"runner\"]\n\n[profile.dev]\ndebug = \"line-tables-only\"\n"
    );
    fs::write(folder.path().join("Cargo.toml"), root).unwrap();
    fs::copy(workspace().join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();

    // Where cargo builds this test, so that what is compiled already is used again.
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
    let cargo = |command: &str, arguments: &[&str]| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(workspace()).args([command, "--offline", "--manifest-path"]);
        cargo.arg(folder.path().join("Cargo.toml")).arg("--target-dir").arg(&target).args(arguments);
        let output = cargo.output().unwrap();
        let said = (String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr)).into_owned();
        assert!(output.status.success(), "{said}");
        said
    };
    cargo("build", &["--workspace", "--exclude", "runner", "--keep-going"]);
    let said = cargo("test", &["--package", "runner", "--test", "records", "--no-fail-fast"]);
    assert!(said.contains(&format!("{} passed", quirks().len())), "{said}");
}
