//! Just enough of the Protobuf language (proto3) to read again what was learnt, whatever a registry has done to blanks and
//! comments: one message, messages inside it, and fields.

/// A file.
#[derive(Debug)]
pub(super) struct File {
    pub(super) package: String,
    pub(super) message: Message,
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
    pub(super) inside: Vec<Message>,
}

#[derive(Debug)]
pub(super) struct Field {
    /// `optional`, `repeated` or `map`.
    pub(super) label: String,
    /// The name of its type.
    pub(super) of: String,
    pub(super) name: String,
    pub(super) number: u32,
    pub(super) json_name: Option<String>,
}

/// Reads a file; `None` if anything else is in it.
pub(super) fn parse(text: &str) -> Option<File> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens };
    parser.expect("syntax")?;
    parser.expect("=")?;
    (unquoted(parser.next()?)? == "proto3").then_some(())?;
    parser.expect(";")?;
    parser.expect("package")?;
    let package = parser.next()?.to_owned();
    parser.expect(";")?;
    parser.expect("message")?;
    let message = parser.message()?;
    parser.tokens.is_empty().then_some(File { package, message })
}

/// The name of a field in Protobuf's JSON unless it says another: `lowerCamelCase`.
pub(super) fn default_json_name(name: &str) -> String {
    let mut json = String::with_capacity(name.len());
    let mut raise = false;
    for c in name.chars() {
        match c {
            '_' => raise = true,
            c if std::mem::take(&mut raise) => json.push(c.to_ascii_uppercase()),
            c => json.push(c),
        }
    }
    json
}

/// A string literal.
pub(super) fn quoted(text: &str) -> String {
    let mut literal = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            c if c.is_ascii_control() => literal.push_str(&format!("\\{:03o}", u32::from(c))),
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

/// What a string literal says.
fn unquoted(literal: &str) -> Option<String> {
    let mut chars = literal.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut text = String::new();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next()? {
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            first @ '0'..='3' => {
                let digits: String = [first, chars.next()?, chars.next()?].into_iter().collect();
                text.push(char::from(u8::from_str_radix(&digits, 8).ok()?));
            }
            c => text.push(c),
        }
    }
    Some(text)
}

/// Words, literals and signs, without blanks and comments.
fn tokens(text: &str) -> Option<Vec<&str>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
            continue;
        }
        if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/")?.1.trim_start();
            continue;
        }
        let length = match first {
            '"' => {
                let mut is_escaped = false;
                let end = rest[1..].char_indices().find(|(_, c)| match c {
                    '"' if !is_escaped => true,
                    c => {
                        is_escaped = *c == '\\' && !is_escaped;
                        false
                    }
                });
                end?.0 + 2
            }
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after.trim_start();
    }
    Some(tokens)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
}

struct Parser<'a> {
    tokens: &'a [&'a str],
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn expect(&mut self, token: &str) -> Option<()> {
        (self.next()? == token).then_some(())
    }

    /// What follows `message`.
    fn message(&mut self) -> Option<Message> {
        let mut message = Message { name: self.next()?.to_owned(), fields: Vec::new(), inside: Vec::new() };
        self.expect("{")?;
        loop {
            match self.next()? {
                "}" => return Some(message),
                "message" => message.inside.push(self.message()?),
                "map" => {
                    for token in ["<", "string", ",", "string", ">"] {
                        self.expect(token)?;
                    }
                    message.fields.push(self.field("map", "string")?);
                }
                label @ ("optional" | "repeated") => {
                    let of = self.next()?;
                    message.fields.push(self.field(label, of)?);
                }
                _ => return None,
            }
        }
    }

    /// What follows the type of a field.
    fn field(&mut self, label: &str, of: &str) -> Option<Field> {
        let name = self.next()?.to_owned();
        self.expect("=")?;
        let number = self.next()?.parse().ok()?;
        let mut json_name = None;
        match self.next()? {
            ";" => {}
            "[" => {
                self.expect("json_name")?;
                self.expect("=")?;
                json_name = Some(unquoted(self.next()?)?);
                self.expect("]")?;
                self.expect(";")?;
            }
            _ => return None,
        }
        // Types may be named with all that they stand in.
        let of = of.rsplit('.').next()?.to_owned();
        Some(Field { label: label.to_owned(), of, name, number, json_name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_comments_make_no_difference() {
        let text = "// a { comment\nsyntax=\"proto3\";package a.b ;/* message */message A{optional int64\n  id=1\n[ json_name\
            = \"@\\\"\\\\ \\011é\" ];repeated a.b.A.B l = 2;message B{}map< string ,string>m=3;}";
        let file = parse(text).unwrap();
        assert_eq!((file.package.as_str(), file.message.name.as_str()), ("a.b", "A"));
        let fields: Vec<_> =
            file.message.fields.iter().map(|field| (&*field.label, &*field.of, field.number)).collect();
        assert_eq!(fields, [("optional", "int64", 1), ("repeated", "B", 2), ("map", "string", 3)]);
        assert_eq!(file.message.fields[0].json_name.as_deref(), Some("@\"\\ \té"));
        for text in ["plain", "a\"b\\c", "\u{1}\n", "é|x"] {
            assert_eq!(unquoted(&quoted(text)).as_deref(), Some(text));
        }
        for (name, json) in [("user_name", "userName"), ("_a", "A"), ("id", "id"), ("a_1", "a1")] {
            assert_eq!(default_json_name(name), json);
        }
    }
}
