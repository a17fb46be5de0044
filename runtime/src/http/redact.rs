//! Keeps secrets out of what an API sends back: some echo the request in their error messages.

use crate::secret::Secret;

/// The secrets that must not be seen in any text.
#[derive(Clone, Debug, Default)]
pub(super) struct Redactor(Vec<Secret>);

impl Redactor {
    /// Anything shorter is found in ordinary text, and hiding it there would only garble the text.
    const SHORTEST: usize = 4;

    pub(super) fn add(&mut self, secret: impl Into<String>) {
        let secret = Secret::new(secret);
        if secret.expose().len() >= Self::SHORTEST {
            self.0.push(secret);
        }
    }

    pub(super) fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.expose()) { text.replace(secret.expose(), "[hidden]") } else { text }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_every_occurrence() {
        let mut redactor = Redactor::default();
        redactor.add("tok3n");
        redactor.add("a");
        assert_eq!(redactor.hide("bad token `tok3n`, tok3n"), "bad token `[hidden]`, [hidden]");
        assert!(!format!("{redactor:?}").contains("tok3n"));
    }
}
