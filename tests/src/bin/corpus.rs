//! `cargo run -p headwater-tests --bin corpus`: generates a connector from every document there is, has each checked, and
//! shows what that takes.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use headwater_tests::HarnessError;
use headwater_tests::corpus::drain::{self, Drain};
use headwater_tests::corpus::prism::{self, Asked};
use headwater_tests::corpus::table::{Row, markdown};
use headwater_tests::corpus::{Document, Generated, Sample, crates, documents, synthetic};

/// Generates a connector from every OpenAPI document of a folder, has each checked, and shows what that takes.
#[derive(Debug, Parser)]
struct Arguments {
    /// The folder of the documents.
    #[arg(long, value_name = "DIR")]
    specs: Option<PathBuf>,
    /// Only the document of this name: its file's, without extension. `synthetic` is the one that is made of GitHub's,
    /// `synthetic-files` one of 2,900 files.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Write the table to this file, in Markdown, in place of standard output.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// The generator to measure; the one of this build otherwise.
    #[arg(long, value_name = "PATH")]
    headwater: Option<PathBuf>,
    /// Instead: have the connector of at most ten streams of each document read a mock of its API to the end.
    #[arg(long)]
    drain: bool,
    /// Instead: send the requests of the builders of at most ten streams of each document to Prism, which validates them.
    #[arg(long, conflicts_with = "drain")]
    prism: bool,
    /// Only generate: compile nothing.
    #[arg(long)]
    generate_only: bool,
    /// Write a document that is made of this one. By itself, so that the memory for it is not counted elsewhere.
    #[arg(long, value_name = "FILE", hide = true)]
    synthesise: Option<PathBuf>,
}

/// The document that the synthetic one is made of.
const MODEL: &str = "github-api.github.com";

/// The synthetic document's name.
const SYNTHETIC: &str = "synthetic";

/// The name of the one that is spread over many files.
const SYNTHETIC_FILES: &str = "synthetic-files";

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(problems) if problems.is_empty() => ExitCode::SUCCESS,
        Ok(problems) => {
            problems.iter().for_each(|problem| eprintln!("{problem}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<Vec<String>, HarnessError> {
    if let Some(from) = &arguments.synthesise {
        synthetic::write(from, &synthetic_path()?)?;
        return Ok(Vec::new());
    }
    let specs = arguments.specs.clone().unwrap_or_else(documents::shared);
    let headwater = match &arguments.headwater {
        Some(headwater) => headwater.clone(),
        None => headwater_tests::headwater()?.to_owned(),
    };
    let wanted = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    let mut documents = documents::documents(&specs)?;
    if let Some(model) = documents.iter().find(|document| document.name == MODEL && wanted(SYNTHETIC)) {
        documents.push(synthesise(model)?);
    }
    if wanted(SYNTHETIC_FILES) {
        let folder = crates::folder().join(SYNTHETIC_FILES);
        synthetic::write_files(&folder)?;
        documents.push(Document { name: SYNTHETIC_FILES.to_owned(), path: folder.join("openapi.yaml") });
    }
    documents.retain(|document| wanted(&document.name));

    if arguments.drain {
        return drain(&documents);
    }
    if arguments.prism {
        return prism(&headwater, &documents);
    }
    if !arguments.generate_only {
        warm(&headwater)?;
    }
    let mut rows = Vec::new();
    for document in documents {
        eprintln!("{} ...", document.name);
        rows.push(row(&headwater, document, arguments.generate_only)?);
    }
    let table = markdown(&rows);
    match &arguments.write {
        Some(file) => {
            let text = format!("{HEAD}{table}");
            std::fs::write(file, text)
                .map_err(|error| HarnessError::Setup(format!("writing {}: {error}", file.display())))?;
        }
        None => print!("{table}"),
    }
    Ok(rows.iter().flat_map(Row::problems).collect())
}

/// What stands over the table in a file.
const HEAD: &str = "\
# What the generator makes of real documents

Made by `cargo run -p headwater-tests --bin corpus -- --headwater target/release/headwater --write docs/corpus.md` on two
cores, one compiler at a time. Each document as its publisher has it; `synthetic` is GitHub's, everything in it repeated under
other names, and `synthetic-files` a document of 2,900 files, of which the size of the first stands here. For each:
`headwater generate --all` in release; the lines of Rust, and those lines per operation of the document;
`cargo check` of the crate with `deny(warnings)`, warm dependencies and nothing of its own from before; and the same of a connector of
at most ten of its streams. `cargo clippy --all-targets -- -D warnings` and `headwater check` pass where nothing else is said.

";

fn row(headwater: &Path, document: Document, generate_only: bool) -> Result<Row, HarnessError> {
    let all = Generated::new(headwater, &document, &document.name, &["--all"])?;
    let is_generated = all.generate.status.success();
    let is_as_generated =
        if is_generated { Some(all.is_as_generated(headwater, &document, &["--all"])?) } else { None };
    let checked = if is_generated && !generate_only { Some(all.check()?) } else { None };
    let sample = if generate_only { None } else { sample(headwater, &document)? };
    Ok(Row { document, all, is_as_generated, checked, sample })
}

/// How many records each stream of a mock has: more than two of its pages.
const RECORDS: u64 = 250;

/// Drains each document's streams, and shows what came of it.
fn drain(documents: &[Document]) -> Result<Vec<String>, HarnessError> {
    // The mock is not in every build of the command.
    let headwater = headwater_tests::headwater()?;
    let mut problems = Vec::new();
    println!("| document | streams | of parents | paging | pages | records served | records in Kafka |");
    println!("| --- | ---: | ---: | --- | ---: | ---: | ---: |");
    for document in documents {
        let drain = drain::drain(headwater, document, RECORDS)?;
        problems.extend(drain.problems().into_iter().map(|problem| format!("{}: {problem}", document.name)));
        let Drain::Done(streams) = drain else { continue };
        let paging: BTreeSet<_> = streams.iter().map(|stream| stream.pagination.as_str()).collect();
        let paging: Vec<_> = paging.into_iter().collect();
        println!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            document.name,
            streams.len(),
            streams.iter().filter(|stream| stream.depth > 0).count(),
            paging.join(", "),
            streams.iter().map(|stream| stream.pages).sum::<u64>(),
            streams.iter().map(|stream| stream.served).sum::<u64>(),
            streams.iter().map(|stream| stream.found).sum::<u64>(),
        );
    }
    Ok(problems)
}

/// Has the requests of each document validated, and shows what came of it.
fn prism(headwater: &Path, documents: &[Document]) -> Result<Vec<String>, HarnessError> {
    let Some(prism) = prism::prism()? else { return Ok(Vec::new()) };
    let mut problems = Vec::new();
    println!("| document | requests | valid |");
    println!("| --- | ---: | ---: |");
    for document in documents {
        match prism::validate(&prism, headwater, document) {
            Ok(None) => {}
            // Nothing of ours has been asked for.
            Ok(Some(Asked::NotServed(said))) => {
                println!("| {} | – | Prism does not serve it: {} |", document.name, said.replace('|', "\\|"));
            }
            Ok(Some(Asked::Validated(validated))) => {
                println!("| {} | {} | {} |", document.name, validated.requests, validated.valid);
                problems.extend(validated.violations.iter().map(|said| format!("{}: {said}", document.name)));
            }
            Err(error) => {
                println!("| {} | – | – |", document.name);
                problems.push(format!("{}: {error}", document.name));
            }
        }
    }
    Ok(problems)
}

/// What `cargo check` of a connector of at most ten streams takes.
fn sample(
    headwater: &Path,
    document: &Document,
) -> Result<Option<(usize, headwater_tests::corpus::Measured)>, HarnessError> {
    let Some(sample) = Sample::new(headwater, document)? else { return Ok(None) };
    let arguments = sample.arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let generated = Generated::new(headwater, document, &format!("{}-sample", document.name), &arguments)?;
    let measured = match generated.generate.status.success() {
        true => generated.check()?.check,
        false => generated.generate,
    };
    Ok(Some((sample.streams.len(), measured)))
}

/// Has the dependencies of generated crates checked, so that nothing else is measured.
fn warm(headwater: &Path) -> Result<(), HarnessError> {
    let Some(own) = documents::own()?.into_iter().next() else { return Ok(()) };
    eprintln!("checking what generated crates depend on ...");
    let checked = Generated::new(headwater, &own, "warm", &["--all"])?.check()?;
    match checked.check.status.success() {
        true => Ok(()),
        false => Err(HarnessError::Setup(checked.check.output)),
    }
}

fn synthesise(model: &Document) -> Result<Document, HarnessError> {
    let failed = |error| HarnessError::Setup(format!("running this program again: {error}"));
    let program = std::env::current_exe().map_err(failed)?;
    let status = Command::new(program).arg("--synthesise").arg(&model.path).status().map_err(failed)?;
    match status.success() {
        true => Ok(Document { name: SYNTHETIC.to_owned(), path: synthetic_path()? }),
        false => Err(HarnessError::Setup(format!("{}: no document was made of it", model.path.display()))),
    }
}

fn synthetic_path() -> Result<PathBuf, HarnessError> {
    let folder = crates::folder();
    let failed = |error| HarnessError::Setup(format!("creating {}: {error}", folder.display()));
    std::fs::create_dir_all(&folder).map_err(failed)?;
    Ok(folder.join("synthetic.json"))
}
