//! User and password out of a JAAS login configuration, as `sasl.jaas.config` holds one: a login module's class, a
//! control flag, options, and a semicolon (KIP-85).

use std::iter::Peekable;
use std::str::Chars;

use thiserror::Error;

use crate::secret::Secret;

/// A login module that there is an equivalent of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoginModule {
    Plain,
    Scram,
}

impl LoginModule {
    /// Its Java class.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Plain => "org.apache.kafka.common.security.plain.PlainLoginModule",
            Self::Scram => "org.apache.kafka.common.security.scram.ScramLoginModule",
        }
    }
}

/// Who logs in, and how.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) module: LoginModule,
    pub(super) user: String,
    pub(super) password: Secret,
}

/// A login configuration that cannot be used. Nothing of it is shown, for it holds a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum JaasError {
    #[error("has a quote that does not end")]
    Quote,
    #[error("does not end in a semicolon after one login module")]
    End,
    #[error("names a login module other than `PlainLoginModule` and `ScramLoginModule` of Kafka")]
    Module,
    #[error("has no control flag, such as `required`, after the login module")]
    Flag,
    #[error("has something that is not an option, such as `username=\"…\"`")]
    Option,
    #[error("has no option `{0}`")]
    Missing(&'static str),
}

/// Reads a login configuration.
pub(super) fn parse(text: &str) -> Result<Login, JaasError> {
    let mut tokens = tokens(text)?.into_iter();
    let Some(Token::Word(class)) = tokens.next() else { return Err(JaasError::Module) };
    let module = [LoginModule::Plain, LoginModule::Scram]
        .into_iter()
        .find(|module| module.class() == class)
        .ok_or(JaasError::Module)?;
    let flags = ["required", "requisite", "sufficient", "optional"];
    let flag = tokens.next().is_some_and(
        |token| matches!(token, Token::Word(word) if flags.iter().any(|flag| flag.eq_ignore_ascii_case(&word))),
    );
    if !flag {
        return Err(JaasError::Flag);
    }
    let (mut user, mut password) = (None, None);
    loop {
        match tokens.next() {
            Some(Token::Semicolon) if tokens.next().is_none() => break,
            Some(Token::Semicolon) | None => return Err(JaasError::End),
            Some(Token::Word(name)) => match (tokens.next(), tokens.next()) {
                (Some(Token::Equals), Some(Token::Word(value))) => match name.as_str() {
                    "username" => user = Some(value),
                    "password" => password = Some(value),
                    _ => {}
                },
                _ => return Err(JaasError::Option),
            },
            Some(Token::Equals) => return Err(JaasError::Option),
        }
    }
    Ok(Login {
        module,
        user: user.ok_or(JaasError::Missing("username"))?,
        password: Secret::new(password.ok_or(JaasError::Missing("password"))?),
    })
}

enum Token {
    Word(String),
    Equals,
    Semicolon,
}

/// Splits a text as Java's `StreamTokenizer` is told to: words, quoted or not, `=` and `;`.
fn tokens(text: &str) -> Result<Vec<Token>, JaasError> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            char if char.is_whitespace() => {}
            '=' => tokens.push(Token::Equals),
            ';' => tokens.push(Token::Semicolon),
            '"' | '\'' => tokens.push(Token::Word(quoted(&mut chars, char)?)),
            _ => {
                let mut word = String::from(char);
                let in_word = |char: &char| !char.is_whitespace() && !matches!(char, '=' | ';' | '"' | '\'');
                while let Some(char) = chars.next_if(in_word) {
                    word.push(char);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

fn quoted(chars: &mut Peekable<Chars<'_>>, quote: char) -> Result<String, JaasError> {
    let mut text = String::new();
    loop {
        match chars.next().ok_or(JaasError::Quote)? {
            char if char == quote => return Ok(text),
            '\\' => match chars.next().ok_or(JaasError::Quote)? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                other => text.push(other),
            },
            char => text.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(module: LoginModule, user: &str, password: &str) -> Result<Login, JaasError> {
        Ok(Login { module, user: user.to_owned(), password: Secret::new(password) })
    }

    #[test]
    fn reads_plain_and_scram() {
        let plain = LoginModule::Plain.class();
        assert_eq!(
            parse(&format!("{plain} required username=\"u\" password=\"p;=' \\\"\\\\\";")),
            login(LoginModule::Plain, "u", "p;=' \"\\")
        );
        let scram = LoginModule::Scram.class();
        assert_eq!(
            parse(&format!("\n{scram} REQUIRED\n  password = 'p'\n  tokenauth=true username=u ;\n")),
            login(LoginModule::Scram, "u", "p")
        );
    }

    #[test]
    fn refuses_the_rest_without_showing_it() {
        let plain = LoginModule::Plain.class();
        for (text, error) in [
            (String::new(), JaasError::Module),
            ("com.sun.Krb5LoginModule required;".to_owned(), JaasError::Module),
            (format!("{plain} username=\"u\";"), JaasError::Flag),
            (format!("{plain} required username=\"u\" password=\"p\""), JaasError::End),
            (format!("{plain} required username=\"u\" password=\"p\"; x"), JaasError::End),
            (format!("{plain} required username=\"u\";"), JaasError::Missing("password")),
            (format!("{plain} required password=\"p\";"), JaasError::Missing("username")),
            (format!("{plain} required username=\"u"), JaasError::Quote),
            (format!("{plain} required username \"u\";"), JaasError::Option),
        ] {
            assert_eq!(parse(&text), Err(error), "{text}");
        }
    }
}
