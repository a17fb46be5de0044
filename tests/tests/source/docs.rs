//! The examples of `docs/source.md`: each is run, and asks what stands below it.

use headwater_tests::{Answer, Received, ScriptedApi, workspace};
use serde_json::{Value, json};

use crate::support::Broker;

/// Five orders, two at a time, by whatever is asked for.
fn answer(request: &Received) -> Answer {
    let order = |id: usize| json!({ "id": id + 1, "at": format!("2024-01-0{}T00:00:00Z", id + 1) });
    let all = || (0..5).map(order).collect::<Vec<_>>();
    let page = |from: usize| all().into_iter().skip(from).take(2).collect::<Vec<_>>();
    match (request.path(), request.method.as_str()) {
        ("/token", _) => return json!({ "access_token": "t" }).into(),
        ("/export", _) => {
            let rows: Vec<_> = all().iter().map(|order| format!("{};{}\n", order["id"], order["at"])).collect();
            return Answer::of(200, "text/csv", format!("id;at\n{}", rows.concat()));
        }
        ("/feed", _) => {
            let orders: Vec<_> = all().iter().map(|order| format!("<order id=\"{}\"/>", order["id"])).collect();
            return Answer::of(200, "application/xml", format!("<orders>{}</orders>", orders.concat()));
        }
        ("/all", _) => return Value::from(all()).into(),
        ("/odata/orders", _) => {
            let from = request.number("$skiptoken");
            let link = match from + 2 < 5 {
                true => ("@odata.nextLink", format!("/odata/orders?$skiptoken={}", from + 2)),
                false => ("@odata.deltaLink", "/odata/orders?$deltatoken=1".to_owned()),
            };
            return json!({ "value": page(from), link.0: link.1 }).into();
        }
        ("/between", _) if request.query("from") != Some("2024-01-01") => return json!({ "orders": [] }).into(),
        ("/graphql", "POST") => {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            assert!(body["query"].as_str().unwrap().contains("orders(first: 2, after: $after)"));
            let after = body["variables"]["after"].as_str().unwrap().trim_start_matches('t').parse().unwrap_or(0);
            let end = (after + 2 < 5).then(|| format!("t{}", after + 2));
            let orders = json!({ "nodes": page(after), "pageInfo": { "endCursor": end } });
            return json!({ "data": { "orders": orders } }).into();
        }
        ("/orders", "POST") => {
            assert_eq!(request.headers["x-team"], "sales");
            let body: Value = serde_json::from_str(&request.body).unwrap();
            return json!({ "orders": page(body["after"].as_u64().unwrap() as usize) }).into();
        }
        _ => {}
    }
    let token = request.query("token").and_then(|token| token.strip_prefix('t')).and_then(|token| token.parse().ok());
    let by_number = request.query("page").map(|_| 2 * (request.number("page") - 1));
    let from = token.or(by_number).unwrap_or_else(|| request.number("skip"));
    let mut body = json!({ "orders": page(from), "total": 5 });
    let mut next = None;
    if from + 2 < 5 {
        body["next"] = json!(format!("t{}", from + 2));
        next = Some(format!("<{}?skip={}>; rel=\"next\"", request.path(), from + 2));
    }
    match next {
        Some(next) => Answer::from(body).header("link", &next).header("x-next", &format!("t{}", from + 2)),
        None => body.into(),
    }
}

/// What stands between fences of a language, each with the first of another language after it.
fn examples(text: &str) -> Vec<(&str, &str)> {
    let block = |text| -> Option<(&str, &str)> {
        let (_, rest): (&str, &str) = text;
        rest.split_once("\n```\n")
    };
    let mut examples = Vec::new();
    let mut rest = text;
    while let Some((config, after)) = rest.split_once("```json\n").and_then(block) {
        let (asked, after) = after.split_once("```http\n").and_then(block).unwrap();
        examples.push((config, asked));
        rest = after;
    }
    examples
}

#[test]
fn every_example_runs_and_asks_what_it_says() {
    let text = std::fs::read_to_string(workspace().join("docs/source.md")).unwrap();
    let examples = examples(&text);
    assert_eq!(examples.len(), text.matches("```json").count());
    assert_eq!(examples.len(), text.matches("```http").count());
    for (config, asked) in examples {
        let api = ScriptedApi::start(answer).unwrap();
        let config: Value = serde_json::from_str(&config.replace("https://api.example.com", &api.url())).unwrap();
        let summary =
            Broker::start().run_with(&config, &[("CLIENT_SECRET", "s3cret"), ("SALT", "s4lt-of-orders")]).unwrap();
        assert!(summary.records > 0, "{config:#}");
        let mut received: Vec<_> = api
            .received()
            .into_iter()
            .map(|request| format!("{} {} {}", request.method, request.target, request.body).trim_end().to_owned())
            .collect();
        let mut asked: Vec<_> = asked.lines().collect();
        // Streams and slices wait for one another in nothing, nor do pages that are asked for ahead.
        let is_of_slices =
            |name: &String| [".slices.", ".parent.", ".backfill."].iter().any(|part| name.contains(part));
        let has_slices = config.as_object().unwrap().keys().any(is_of_slices);
        let has_streams = config.pointer("/config/entity.names").is_some() || config["apis.num"] == "2";
        if has_slices || has_streams || config["api1.http.pagination.type"] == "PAGE" {
            received.sort_unstable();
            asked.sort_unstable();
        }
        assert_eq!(received.len(), asked.len(), "{received:#?} and not {asked:#?}");
        for (received, asked) in received.iter().zip(asked) {
            match asked.split_once('…') {
                Some((start, _)) => assert!(received.starts_with(start), "{received} and not {asked}"),
                None => assert_eq!(received, asked),
            }
        }
    }
}

#[test]
fn every_expectation_names_tests_that_there_are() {
    let root = workspace();
    let text = std::fs::read_to_string(root.join("docs/expectations.md")).unwrap();
    let rows_of = |letter| text.lines().filter(move |line| line.starts_with(&format!("| {letter}")));
    assert_eq!((rows_of("A").count(), rows_of("T").count()), (25, 14));
    let rows: Vec<_> = rows_of("A").chain(rows_of("T")).collect();
    for row in rows {
        let tests: Vec<_> = row.split('`').filter_map(|code| code.split_once("::")).collect();
        assert!(!tests.is_empty(), "{row}");
        for (file, test) in tests {
            let source = std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(source.contains(&format!("fn {test}(")), "{file} has no test {test}");
        }
    }
}
