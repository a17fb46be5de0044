//! What is sent.

use headwater_tests::{Received, ScriptedApi};
use serde_json::json;

use crate::support::{Broker, config};

#[test]
fn a_request_is_what_its_properties_say() {
    let api = ScriptedApi::start(|_: &Received| json!([])).unwrap();
    let broker = Broker::start();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let config = config(
            &api,
            json!({
                "api1.http.request.method": method,
                "api1.http.api.path": "/a b/{id}/x?fixed=1,2",
                "api1.http.path.parameters": "id:${offset}/ü",
                "api1.http.request.parameters": "q=${offset}&flag",
                "api1.http.request.headers": "X-One: ${offset}; a:b |X-Two:2",
                "api1.http.request.sensitive.headers": "x-two: s3cret",
                "api1.http.request.body": r#"{"q": "${offset}"}"#,
                "api1.http.initial.offset": "77",
            }),
        );
        broker.run(&config).unwrap();
        let [received] = &api.received()[..] else { panic!("one request") };
        assert_eq!(received.method, method);
        assert_eq!(received.target, "/a%20b/77%2F%C3%BC/x?fixed=1,2&q=77&flag");
        assert_eq!((&*received.headers["x-one"], &*received.headers["x-two"]), ("77; a:b", "s3cret"));
        assert_eq!(received.headers["content-type"], "application/json");
        assert_eq!(received.body, r#"{"q": "77"}"#);
    }
}
