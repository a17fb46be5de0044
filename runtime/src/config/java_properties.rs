//! Java's `.properties` format, as `java.util.Properties.load(Reader)` defines it.

use std::iter::Peekable;
use std::str::Chars;

use super::raw::{Entry, SyntaxError};

/// Reads the properties of a file, in its order.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, SyntaxError> {
    let mut entries = Vec::new();
    for (line, text) in logical_lines(text) {
        let mut chars = text.chars().peekable();
        let name = unescape(&mut chars, |char| is_blank(char) || matches!(char, '=' | ':'));
        while chars.next_if(|char| is_blank(*char)).is_some() {}
        if chars.next_if(|char| matches!(char, '=' | ':')).is_some() {
            while chars.next_if(|char| is_blank(*char)).is_some() {}
        }
        let value = unescape(&mut chars, |_| false);
        let bad_escape = || SyntaxError { line, reason: "`\\u` is not followed by four hexadecimal digits".to_owned() };
        entries.push(Entry { name: name.ok_or_else(bad_escape)?, text: value.ok_or_else(bad_escape)?, line });
    }
    Ok(entries)
}

fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\u{c}')
}

/// The lines that are neither empty nor comments, continued ones joined, with the number of their first line.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut continued = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start_matches(is_blank);
        if !continued && (line.is_empty() || line.starts_with(['#', '!'])) {
            continue;
        }
        // An odd number of backslashes at the end: the last one is not escaped.
        let continues = line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
        let content = if continues { line.strip_suffix('\\').unwrap_or(line) } else { line };
        match lines.last_mut() {
            Some((_, last)) if continued => last.push_str(content),
            _ => lines.push((index + 1, content.to_owned())),
        }
        continued = continues;
    }
    lines
}

/// Reads up to an unescaped character that `ends`. `None`: a Unicode escape is none.
fn unescape(chars: &mut Peekable<Chars<'_>>, ends: impl Fn(char) -> bool) -> Option<String> {
    let mut text = String::new();
    while let Some(char) = chars.next_if(|char| !ends(*char)) {
        if char != '\\' {
            text.push(char);
            continue;
        }
        match chars.next() {
            Some('t') => text.push('\t'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('f') => text.push('\u{c}'),
            Some('u') => text.push(unicode(chars)?),
            Some(other) => text.push(other),
            None => {}
        }
    }
    Some(text)
}

/// A character by its UTF-16 code units; one beyond the first plane takes two escapes.
fn unicode(chars: &mut Peekable<Chars<'_>>) -> Option<char> {
    let first = code_unit(chars)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first.into());
    }
    (chars.next()? == '\\' && chars.next()? == 'u').then_some(())?;
    char::decode_utf16([first, code_unit(chars)?]).next()?.ok()
}

fn code_unit(chars: &mut Peekable<Chars<'_>>) -> Option<u16> {
    let digits: String = chars.by_ref().take(4).collect();
    let hexadecimal = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hexadecimal.then(|| u16::from_str_radix(&digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String, usize)> {
        parse(text).unwrap().into_iter().map(|entry| (entry.name, entry.text, entry.line)).collect()
    }

    fn entry(name: &str, text: &str, line: usize) -> (String, String, usize) {
        (name.to_owned(), text.to_owned(), line)
    }

    #[test]
    fn reads_separators_comments_and_continuations() {
        let text = "# comment\n! comment\n\n  a = 1 \nb:2\r\nc 3\nd\ne = \\\n   x\\\n   # y\nf=\\\\\ng==\n";
        assert_eq!(
            read(text),
            [
                entry("a", "1 ", 4),
                entry("b", "2", 5),
                entry("c", "3", 6),
                entry("d", "", 7),
                entry("e", "x# y", 8),
                entry("f", "\\", 11),
                entry("g", "=", 12),
            ]
        );
    }

    #[test]
    fn reads_escapes() {
        let text = r"a\ b\:c = \t\u00e4\ud83d\ude00\z\=".to_owned() + "\n";
        assert_eq!(read(&text), [entry("a b:c", "\tä😀z=", 1)]);
        for broken in [r"a=\u12", r"a=\u12g4", r"a=\ud800x", r"a=\udc00"] {
            assert_eq!(parse(&format!("\n{broken}")).unwrap_err().line, 2, "{broken}");
        }
    }
}
