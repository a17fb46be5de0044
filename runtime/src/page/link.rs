//! The `Link` header (RFC 8288 section 3).

/// The target of the first link whose relation types include `next`, as written.
pub(crate) fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (target, parameters) = rest.trim_start_matches([' ', '\t', ',']).strip_prefix('<')?.split_once('>')?;
        let end = end_of_link(parameters);
        if is_next(&parameters[..end]) {
            return Some(target.trim());
        }
        rest = parameters.get(end + 1..)?;
    }
}

/// Where the comma stands that ends a link, outside quotes; the length if there is none.
fn end_of_link(parameters: &str) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (index, byte) in parameters.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return index,
            _ => {}
        }
    }
    parameters.len()
}

/// Whether the first `rel` parameter holds `next`: later ones do not count (section 3.3).
fn is_next(parameters: &str) -> bool {
    parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("rel"))
        .is_some_and(|(_, value)| {
            value
                .trim()
                .trim_matches('"')
                .split_ascii_whitespace()
                .any(|relation| relation.eq_ignore_ascii_case("next"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_next_page() {
        for (header, next) in [
            (r#"<https://a/?page=2>; rel="next", <https://a/?page=9>; rel="last""#, Some("https://a/?page=2")),
            (
                r#"<https://a/?page=1>; rel="prev", <https://a/?a=1,2&page=3>; rel="next""#,
                Some("https://a/?a=1,2&page=3"),
            ),
            (r#"</items?page=2>;rel=next"#, Some("/items?page=2")),
            (r#"<https://a/2>; title="a, b"; rel="last next""#, Some("https://a/2")),
            (r#"<https://a/2>; REL="Next""#, Some("https://a/2")),
            (r#"<https://a/9>; rel="last""#, None),
            (r#"<https://a/9>; rel="last"; rel="next""#, None),
            (r#"<https://a/9>; title="next""#, None),
            ("", None),
            ("nonsense", None),
            ("<unclosed", None),
        ] {
            assert_eq!(next_link(header), next, "{header}");
        }
    }
}
