//! `headwater mock`.

use std::io::{self, Write};
use std::net::SocketAddr;

use clap::Args;
use headwater::document::Document;
use headwater::mock::{Counts, MockApi, Served, Traffic};
use headwater::plan::{PlanOptions, Selection, plan, survey};
use tokio::signal::unix::{SignalKind, signal};

use super::input::Input;
use super::{FAILED, OK, REFUSED};
use crate::report;

#[derive(Debug, Args)]
pub(super) struct Mock {
    #[command(flatten)]
    input: Input,
    /// Ids of the operations to serve. Without it: the annotated ones or, if none is, all.
    #[arg(long, value_name = "ID,…", value_delimiter = ',', conflicts_with = "all")]
    operations: Vec<String>,
    /// Serve every operation that can be a stream.
    #[arg(long)]
    all: bool,
    /// Let requests in without the credentials that the document asks for.
    #[arg(long)]
    open: bool,
    /// Where to listen; port 0 takes any that is free.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// How many records each operation has.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    records: u64,
    /// How many records an operation that is read for the records of another has for each of these.
    #[arg(long, value_name = "N", default_value_t = 10)]
    records_of_parent: u64,
    /// What the records are made from: the same seed gives the same records.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl Mock {
    pub(super) fn run(self, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
        let planned = self.input.load().and_then(|document| {
            let selection = self.selection(&document)?;
            // What a parameter is set to is the business of those who ask.
            plan(&document, &PlanOptions { selection, configures_missing: true, ..PlanOptions::default() })
        });
        let mut planned = match planned {
            Ok(planned) => planned,
            Err(diagnostics) => {
                report::diagnostics(&diagnostics, err)?;
                return Ok(REFUSED);
            }
        };
        report::diagnostics(&planned.warnings, err)?;
        if self.open {
            planned.plan.streams.iter_mut().for_each(|stream| stream.auth.clear());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            let counts = Counts { each: self.records, each_of_parent: self.records_of_parent };
            let api = match MockApi::start(planned.plan, self.listen, counts, self.seed).await {
                Ok(api) => api,
                Err(error) => {
                    let hint = "choose another address with `--listen`; port 0 takes any that is free";
                    writeln!(err, "error: listening at {}: {error}", self.listen)?;
                    writeln!(err, "hint: {hint}")?;
                    return Ok(FAILED);
                }
            };
            writeln!(out, "listening at {}", api.url())?;
            api.served().iter().try_for_each(|served| line(served, out))?;
            out.flush()?;
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            for Traffic { operation_id, pages, records } in api.traffic() {
                writeln!(out, "{operation_id}: {pages} pages served, {records} records")?;
            }
            Ok(OK)
        })
    }

    fn selection(&self, document: &Document) -> Result<Selection, headwater::diagnostic::Diagnostics> {
        if !self.operations.is_empty() {
            return Ok(Selection::Operations(self.operations.clone()));
        }
        let is_annotated = !self.all && survey(document)?.streams.iter().any(|stream| stream.is_annotated);
        Ok(if is_annotated { Selection::Annotated } else { Selection::All })
    }
}

fn line(served: &Served, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{}: {}", served.operation_id, served.url)?;
    let ways: Vec<String> = served
        .auth
        .iter()
        .filter(|way| !way.is_empty())
        .map(|way| way.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "))
        .collect();
    let single = served.is_single.then(|| "one record".to_owned());
    let parent = served.parent.as_ref().map(|parent| format!("for each record of {parent}"));
    let auth = (!ways.is_empty()).then(|| format!("auth: {}", ways.join(" or ")));
    let notes: Vec<String> = [single, parent, auth].into_iter().flatten().collect();
    match notes.as_slice() {
        [] => writeln!(out),
        notes => writeln!(out, " ({})", notes.join("; ")),
    }
}
