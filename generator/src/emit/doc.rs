//! Documentation of emitted items, as attributes.

use proc_macro2::TokenStream;
use quote::quote;

use super::markdown;

/// The lines of an item's documentation.
#[derive(Clone, Debug, Default)]
pub(super) struct Doc(Vec<String>);

impl Doc {
    /// One line of our own words, in Markdown.
    pub(super) fn line(line: impl Into<String>) -> Self {
        Self(vec![line.into()])
    }

    /// The document's words, or, where it has none, a line of ours.
    pub(super) fn described(description: Option<&str>, otherwise: impl FnOnce() -> String) -> Self {
        match description.map(markdown::lines) {
            Some(lines) if !lines.is_empty() => Self(lines),
            _ => Self::line(otherwise()),
        }
    }

    /// The document's words, or nothing.
    pub(super) fn optional(description: Option<&str>) -> Self {
        Self(description.map(markdown::lines).unwrap_or_default())
    }

    /// Adds a paragraph of the document's words, if they say anything.
    pub(super) fn and_described(mut self, description: Option<&str>) -> Self {
        if let Some(lines) = description.map(markdown::lines).filter(|lines| !lines.is_empty() && *lines != self.0) {
            self.0.push(String::new());
            self.0.extend(lines);
        }
        self
    }

    /// Adds a paragraph of one line.
    pub(super) fn and_line(mut self, line: impl Into<String>) -> Self {
        self.0.push(String::new());
        self.0.push(line.into());
        self
    }

    /// Adds a list item about `subject`, which is Markdown of ours.
    pub(super) fn and_item(mut self, subject: &str, description: Option<&str>) -> Self {
        let lines = markdown::item(subject, description);
        if !self.0.last().is_some_and(|line| line.starts_with("- ") || line.starts_with("  ")) {
            self.0.push(String::new());
        }
        self.0.extend(lines);
        self
    }

    /// `#[doc]` attributes, to stand before an item.
    pub(super) fn outer(&self) -> TokenStream {
        let lines = self.attributes();
        quote!(#(#[doc = #lines])*)
    }

    /// `#![doc]` attributes, to stand at the beginning of a file.
    pub(super) fn inner(&self) -> TokenStream {
        let lines = self.attributes();
        quote!(#(#![doc = #lines])*)
    }

    fn attributes(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|line| if line.is_empty() { String::new() } else { format!(" {line}") })
    }
}
