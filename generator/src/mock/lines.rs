//! Answers of JSON lines.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// The answer of this media type with each of `records` on a line; in a sequence of texts, each after a mark (RFC 7464 section
/// 2.2).
pub(super) fn response(media_type: &str, records: &[Value]) -> Response {
    let mark = if media_type.to_ascii_lowercase().starts_with("application/json-seq") { "\u{1e}" } else { "" };
    let lines: String = records.iter().map(|record| format!("{mark}{record}\n")).collect();
    ([(CONTENT_TYPE, media_type)], lines).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn each_record_is_a_line_or_after_a_mark() {
        for (media_type, expected) in [
            ("application/x-ndjson; charset=utf-8", "{\"a\":1}\n2\n"),
            ("application/json-seq", "\u{1e}{\"a\":1}\n\u{1e}2\n"),
        ] {
            let response = response(media_type, &[json!({"a": 1}), json!(2)]);
            assert_eq!(response.headers()[CONTENT_TYPE], media_type);
            assert_eq!(to_bytes(response.into_body(), 100).await.unwrap(), expected);
        }
    }
}
