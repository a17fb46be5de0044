//! What of the Protobuf language (proto3) is written by rules of its own.

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::proto_file;

    #[test]
    fn names_are_written_as_compilers_read_them() {
        for text in ["plain", "a\"b\\c", "\u{1}\n", "é|x"] {
            let schema = format!("syntax = \"proto3\"; message A {{ int32 a = 1 [json_name = {}]; }}", quoted(text));
            let message = proto_file::compile(&schema).unwrap().messages().next().unwrap();
            assert_eq!(message.get_field(1).unwrap().json_name(), text);
        }
        for name in ["user_name", "_a", "id", "a_1"] {
            let schema = format!("syntax = \"proto3\"; message A {{ int32 {name} = 1; }}");
            let message = proto_file::compile(&schema).unwrap().messages().next().unwrap();
            assert_eq!(message.get_field(1).unwrap().json_name(), default_json_name(name));
        }
        for (name, json) in [("user_name", "userName"), ("_a", "A"), ("id", "id"), ("a_1", "a1")] {
            assert_eq!(default_json_name(name), json);
        }
    }
}
