//! Descriptions (CommonMark, OAS 3.0 "Rich Text Formatting") as lines of Rust documentation.
//!
//! What a document's author wrote must neither run as a test, nor link to an item by accident, nor break the
//! documentation's markup. So the text is laid out anew: paragraphs, lists and code blocks stay; HTML, shortcut links and
//! headings become plain text; bare URLs become links; code is marked as text.

/// Widest line, in characters. A word that is longer stands alone.
const WIDTH: usize = 100;

/// The lines of a description.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut previous: Option<Block> = None;
    for block in blocks(text) {
        if previous.as_ref().is_some_and(|previous| !previous.is_followed_closely_by(&block)) {
            lines.push(String::new());
        }
        match &block {
            Block::Paragraph(text) => lines.extend(wrap("", &words(text, true))),
            Block::Item { marker, text } => lines.extend(wrap(&format!("{marker} "), &words(text, true))),
            Block::Code(code) => lines.extend(fenced(code)),
        }
        previous = Some(block);
    }
    lines
}

/// `text` as code within a line, whatever it holds.
pub(super) fn code(text: &str) -> String {
    let text: String = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    // Spaces keep a backtick at either end apart from the fence (CommonMark 6.1); nothing at all is no code.
    match text {
        text if text.is_empty() => "an empty text".to_owned(),
        text if text.starts_with('`') || text.ends_with('`') => format!("{fence} {text} {fence}"),
        text => format!("{fence}{text}{fence}"),
    }
}

/// The lines of a list item: `subject`, which is safe already, and the first paragraph of what is said of it.
pub(super) fn item(subject: &str, description: Option<&str>) -> Vec<String> {
    let paragraph = description.and_then(|text| {
        blocks(text).into_iter().find_map(|block| match block {
            Block::Paragraph(text) | Block::Item { text, .. } => Some(words(&text, true)),
            Block::Code(_) => None,
        })
    });
    match paragraph {
        Some(paragraph) => {
            let words: Vec<_> = [format!("{subject}:")].into_iter().chain(paragraph).collect();
            wrap("- ", &words)
        }
        None => wrap("- ", &[subject.to_owned()]),
    }
}

enum Block {
    Paragraph(String),
    Item { marker: String, text: String },
    Code(Vec<String>),
}

impl Block {
    /// Items of one list stand close; everything else has an empty line between.
    fn is_followed_closely_by(&self, next: &Self) -> bool {
        match (self, next) {
            (Self::Item { marker, .. }, Self::Item { marker: next, .. }) => (marker == "-") == (next == "-"),
            _ => false,
        }
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = text.lines().map(clean).peekable();
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start_matches(['>', ' ']).trim_end();
        if trimmed.is_empty() || is_rule(trimmed) {
            open = false;
        } else if let Some(fence) = opening_fence(trimmed) {
            let code =
                lines.by_ref().take_while(|line| !closes(line.trim(), fence)).map(|line| line.trim_end().to_owned());
            blocks.push(Block::Code(code.collect()));
            open = false;
        } else if trimmed.starts_with('|') {
            let mut table = vec![trimmed.to_owned()];
            while let Some(row) = lines.next_if(|line| line.trim_start().starts_with('|')) {
                table.push(row.trim().to_owned());
            }
            blocks.push(Block::Code(table));
            open = false;
        } else if let Some(title) = heading(trimmed) {
            blocks.push(Block::Paragraph(title.to_owned()));
            open = false;
        } else if let Some((marker, text)) = item_start(trimmed) {
            blocks.push(Block::Item { marker, text: text.to_owned() });
            open = true;
        } else {
            // A backslash at the end breaks the line; here it ends the paragraph.
            let (trimmed, breaks) = trimmed.strip_suffix('\\').map_or((trimmed, false), |text| (text, true));
            match blocks.last_mut() {
                Some(Block::Paragraph(text) | Block::Item { text, .. }) if open => {
                    text.push(' ');
                    text.push_str(trimmed);
                }
                _ => blocks.push(Block::Paragraph(trimmed.to_owned())),
            }
            open = !breaks;
        }
    }
    blocks.retain(|block| !matches!(block, Block::Code(code) if code.iter().all(String::is_empty)));
    blocks
}

/// Without what is invisible: control characters, and those that turn the direction of text, which rustc refuses.
pub(super) fn clean(text: &str) -> String {
    let invisible = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.replace('\t', "    ").chars().filter(|&c| !invisible(c)).collect()
}

fn is_rule(line: &str) -> bool {
    line.len() >= 3 && ['-', '=', '*', '_'].iter().any(|&rule| line.chars().all(|c| c == rule || c == ' '))
}

fn opening_fence(line: &str) -> Option<&str> {
    let sign = line.chars().next().filter(|sign| matches!(sign, '`' | '~'))?;
    let rest = line.trim_start_matches(sign);
    let fence = &line[..line.len() - rest.len()];
    (fence.len() >= 3 && !(sign == '`' && rest.contains('`'))).then_some(fence)
}

fn closes(line: &str, fence: &str) -> bool {
    line.starts_with(fence) && fence.starts_with(|sign| line.chars().all(|c| c == sign))
}

fn heading(line: &str) -> Option<&str> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    ((1..=6).contains(&level) && title.starts_with(' ')).then(|| title.trim_end_matches('#').trim())
}

fn item_start(line: &str) -> Option<(String, &str)> {
    let (marker, text) = line.split_once(' ')?;
    let marker = match marker {
        "-" | "*" | "+" => "-".to_owned(),
        _ => format!("{}.", ordinal(marker)?),
    };
    Some((marker, text.trim_start()))
}

/// The number in `7.` or `7)`.
fn ordinal(marker: &str) -> Option<&str> {
    let digits = marker.strip_suffix(['.', ')'])?;
    ((1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

fn fenced(code: &[String]) -> Vec<String> {
    let longest = code.iter().map(|line| longest_run(line, '`')).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    // The language keeps rustdoc from running it as Rust.
    std::iter::once(format!("{fence}text")).chain(code.iter().cloned()).chain([fence.clone()]).collect()
}

fn longest_run(text: &str, sign: char) -> usize {
    text.split(|c| c != sign).map(str::len).max().unwrap_or(0)
}

/// Fills lines with words; `marker` begins the first line, and the others are indented as far.
fn wrap(marker: &str, words: &[String]) -> Vec<String> {
    let indent = " ".repeat(marker.len());
    let mut lines = Vec::new();
    let mut line = marker.to_owned();
    let mut width = 0;
    for word in words {
        let length = word.chars().count();
        if width > 0 && indent.len() + width + 1 + length > WIDTH {
            lines.push(std::mem::replace(&mut line, indent.clone()));
            width = 0;
        }
        if width > 0 {
            line.push(' ');
            line.push_str(word);
            width += 1 + length;
        } else {
            line.push_str(&at_line_start(word));
            width = length;
        }
    }
    if width > 0 {
        lines.push(line);
    }
    lines
}

/// A word that would begin a block at the start of a line, made plain.
fn at_line_start(word: &str) -> String {
    if let Some(digits) = ordinal(word) {
        return format!("{digits}\\{}", &word[digits.len()..]);
    }
    let begins_a_block = matches!(word, "-" | "*" | "+")
        || word.starts_with(['#', '|'])
        || word.starts_with("~~~")
        || word.chars().all(|c| c == '=')
        || word.chars().all(|c| c == '-');
    if begins_a_block { format!("\\{word}") } else { word.to_owned() }
}

/// The words of running text, with its markup made safe. Code and links stay in one piece.
fn words(text: &str, with_links: bool) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let taken = if first.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            first.len_utf8()
        } else {
            inline(rest, before, with_links, &mut word)
        };
        before = first;
        rest = rest.get(taken..).unwrap_or_default();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Takes one piece off the beginning of `text` and adds its safe form to `out`. Returns how many bytes it took.
fn inline(text: &str, before: char, with_links: bool, out: &mut String) -> usize {
    let first = text.chars().next().unwrap_or(' ');
    match first {
        '`' => code_span(text, out),
        '\\' => match text[1..].chars().next().filter(char::is_ascii_punctuation) {
            Some(escaped) => {
                out.extend(['\\', escaped]);
                1 + escaped.len_utf8()
            }
            None => {
                out.push_str("\\\\");
                1
            }
        },
        '[' => link(text, with_links, out).unwrap_or_else(|| {
            out.push_str("\\[");
            1
        }),
        '<' => match text[1..].split_once('>') {
            Some((target, _)) if with_links && url(target) == Some(target) => {
                out.push_str(&format!("<{target}>"));
                target.len() + 2
            }
            _ => {
                out.push_str("\\<");
                1
            }
        },
        ']' | '>' => {
            out.extend(['\\', first]);
            1
        }
        '!' if text[1..].starts_with('[') => {
            out.push_str("\\!");
            1
        }
        _ => match url(text).filter(|_| with_links && !before.is_alphanumeric()) {
            Some(url) => {
                out.push_str(&format!("<{url}>"));
                url.len()
            }
            None => {
                out.push(first);
                first.len_utf8()
            }
        },
    }
}

fn code_span(text: &str, out: &mut String) -> usize {
    let rest = text.trim_start_matches('`');
    let fence = &text[..text.len() - rest.len()];
    let mut from = 0;
    while let Some(at) = rest[from..].find(fence).map(|at| from + at) {
        let run = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        if run == fence.len() {
            out.push_str(fence);
            out.push_str(&rest[..at]);
            out.push_str(fence);
            return fence.len() + at + run;
        }
        from = at + run;
    }
    out.push_str(&"\\`".repeat(fence.len()));
    fence.len()
}

/// `[text](target)`: kept if the target is a URL, otherwise only its text, as the target is unknown from here.
fn link(text: &str, with_links: bool, out: &mut String) -> Option<usize> {
    let (label, rest) = text[1..].split_once("](")?;
    let (target, _) = rest.split_once(')')?;
    if label.contains(['[', ']']) || label.is_empty() {
        return None;
    }
    let taken = 1 + label.len() + 2 + target.len() + 1;
    let label = words(label, false).join(" ");
    let target = target.split_whitespace().next().unwrap_or_default();
    match url(target).filter(|&url| with_links && url == target) {
        Some(url) => out.push_str(&format!("[{label}]({url})")),
        None => out.push_str(&label),
    }
    Some(taken)
}

/// The URL that `text` begins with.
fn url(text: &str) -> Option<&str> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme))?;
    let ends = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`' | '[' | ']' | '|' | '\\' | '(' | ')');
    let end = text.find(ends).unwrap_or(text.len());
    let url = text[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_']);
    (url.len() > scheme.len()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> String {
        lines(text).join("\n")
    }

    #[test]
    fn markup_that_means_something_to_rustdoc_is_made_plain() {
        for (text, expected) in [
            ("A [shortcut] and array[0].", r"A \[shortcut\] and array\[0\]."),
            ("Vec<T> or <br> & co", r"Vec\<T\> or \<br\> & co"),
            (
                "See https://a.example/x?y=1, or (http://b.example/z).",
                "See <https://a.example/x?y=1>, or (<http://b.example/z>).",
            ),
            (
                "[The docs](https://a.example/x \"title\") and [here](/rest/x#y).",
                "[The docs](https://a.example/x) and here.",
            ),
            ("<https://a.example> [`code`](https://a.example)", "<https://a.example> [`code`](https://a.example)"),
            ("[https://a.example](https://a.example)", "[https://a.example](https://a.example)"),
            ("an ![image](https://a.example/x.png)", r"an \![image](https://a.example/x.png)"),
            ("`[x]` and ``a ` <b>`` and `open", r"`[x]` and ``a ` <b>`` and \`open"),
            (r"\[x\] C:\dir", r"\[x\] C:\\dir"),
            ("# Title\ntext\n\n> [!NOTE]\n> quoted", "Title\n\ntext\n\n\\[!NOTE\\] quoted"),
            ("Title\n=====\ntext", "Title\n\ntext"),
            ("one\\\ntwo", "one\n\ntwo"),
            ("    indented", "indented"),
            ("a\u{202e}b\u{0}c\td", "abc d"),
            ("#1 is first", r"\#1 is first"),
            ("   ", ""),
        ] {
            assert_eq!(rendered(text), expected, "{text:?}");
        }
    }

    #[test]
    fn code_is_text_and_ends() {
        assert_eq!(rendered("Try:\n```rust\nfn main() {}\n```\nend"), "Try:\n\n```text\nfn main() {}\n```\n\nend");
        assert_eq!(rendered("~~~\na\n```\nb"), "````text\na\n```\nb\n````");
        assert_eq!(rendered("```\n\n```"), "");
        assert_eq!(rendered("| a | b |\n|---|---|\n| 1 | 2 |"), "```text\n| a | b |\n|---|---|\n| 1 | 2 |\n```");
    }

    #[test]
    fn lists_keep_their_items_together() {
        assert_eq!(
            rendered("One of:\n* `a`: first\n  goes on\n* b\n\n1) x\n2) y\nafter"),
            "One of:\n\n- `a`: first goes on\n- b\n\n1. x\n2. y after"
        );
    }

    #[test]
    fn long_lines_wrap_and_never_begin_a_block() {
        let text = format!("{} - b {} 1. c", "word ".repeat(20).trim(), "word ".repeat(18).trim());
        let lines = lines(&text);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH + 1), "{lines:?}");
        assert!(lines[1].starts_with(r"\- b"), "{lines:?}");
        let item = super::lines(&format!("- {}", "word ".repeat(30)));
        assert!(item[1].starts_with("  word"), "{item:?}");
    }

    #[test]
    fn any_text_can_be_code() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("a\n b"), "`a b`");
        assert_eq!(code(""), "an empty text");
    }
}
