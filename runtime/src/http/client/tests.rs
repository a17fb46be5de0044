//! The client against servers on this machine.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap as Headers, StatusCode, Uri};
use axum::response::Redirect;
use axum::routing::{get, post};

use super::*;
use crate::http::testing::{nobody, serve, serve_bytes, serve_start};
use crate::http::{
    BreakerSettings, CredentialsIn, Grant, HttpErrorKind, Limits, OAuthClient, Proof, Target, TlsVersions,
    TokenEndpoint,
};

fn client(base_url: Url) -> Client {
    Client::new(ClientSettings::new(base_url)).unwrap()
}

/// All that an error could show to anyone.
fn all_text(error: &HttpError) -> String {
    let mut text = format!("{error:?}");
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = source {
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[tokio::test]
async fn sends_what_the_request_says() {
    let echo = |uri: Uri, headers: Headers| async move {
        let header = |name| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let names = ["accept", "authorization", "user-agent", "x-key", "x-trace", "referer"];
        format!("{uri}\n{}", names.map(header).join("\n"))
    };
    let url = serve(Router::new().route("/api/{*path}", get(echo))).await;
    let mut settings = ClientSettings::new(url.join("/api/").unwrap());
    settings.auth = Auth::Bearer(Secret::new("tok3n"));
    settings.headers = vec![("X-Key".to_owned(), Secret::new("k3y")), ("X-Trace".to_owned(), Secret::new("default"))];
    let request = Request::get("/repos/{name}")
        .path("name", &"a b/ü".to_owned())
        .query("since", &"2024-01-01T00:00:00Z".to_owned())
        .query("q", &"a b+é".to_owned())
        .header("x-trace", &7_i64);
    let response = Client::new(settings).unwrap().send(&request).await.unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(
        String::from_utf8_lossy(&response.body).lines().collect::<Vec<_>>(),
        [
            "/api/repos/a%20b%2F%C3%BC?since=2024-01-01T00%3A00%3A00Z&q=a%20b%2B%C3%A9",
            "application/json",
            "Bearer tok3n",
            USER_AGENT,
            "k3y",
            "7"
        ]
    );
}

#[tokio::test]
async fn authenticates_by_password_and_posts() {
    let echo = |headers: Headers, body: String| async move {
        assert_eq!(headers["authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "RFC 7617 section 2");
        assert_eq!(headers["content-type"], "application/json");
        body
    };
    let mut settings = ClientSettings::new(serve(Router::new().route("/search", post(echo))).await);
    settings.auth = Auth::Basic { user: "Aladdin".to_owned(), password: Secret::new("open sesame") };
    let request = Request::post("/search").body("application/json", r#"{"q":1}"#);
    let response = Client::new(settings).unwrap().send(&request).await.unwrap();
    assert_eq!(response.body, r#"{"q":1}"#);
}

#[tokio::test]
async fn follows_links_and_redirects_of_the_api_only() {
    let elsewhere = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&elsewhere);
    let foreign = serve(Router::new().fallback(move |headers: Headers| async move {
        seen.lock().unwrap().push(headers);
    }))
    .await;
    let target = foreign.join("/steal?token=t0ken").unwrap().to_string();
    let away = target.clone();
    let url = serve(
        Router::new()
            .route("/page", get(async || ([("link", "</page?page=2>; rel=\"next\"")], "one")))
            .route("/moved", get(async || Redirect::temporary("/page?x=1")))
            .route("/loop", get(async || Redirect::temporary("/loop")))
            .route("/away", get(async move || Redirect::temporary(&away))),
    )
    .await;
    let mut settings = ClientSettings::new(url.clone());
    settings.auth = Auth::Bearer(Secret::new("tok3n"));
    let client = Client::new(settings).unwrap();
    let get = async |path| client.send(&Request::get(path)).await;

    let page = get("/moved").await.unwrap();
    assert_eq!(page.body, "one");
    let next = page.next_link().unwrap();
    assert_eq!(next, url.join("/page?page=2").unwrap().as_str());
    let follow = |url: String| Request { target: Target::Absolute(url), ..Request::get("/") };
    client.send(&follow(next)).await.unwrap();

    let error = client.send(&follow(target)).await.unwrap_err();
    assert!(matches!(error, HttpError::ForeignOrigin { .. }), "{error:?}");
    let error = get("/away").await.unwrap_err();
    assert!(matches!(error, HttpError::ForeignRedirect { .. }), "{error:?}");
    assert!(!all_text(&error).contains("t0ken"), "{error:?}");
    assert!(elsewhere.lock().unwrap().is_empty());

    let error = get("/loop").await.unwrap_err();
    assert!(matches!(error, HttpError::TooManyRedirects { limit: 5, .. }), "{error:?}");
}

#[tokio::test]
async fn a_failure_tells_all_but_secrets() {
    let answer = |headers: Headers| async move {
        let content = format!("{{\"message\":\n  \"who is {:?}?\"}}", headers["authorization"].to_str().unwrap());
        (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "17")], content)
    };
    let url = serve(Router::new().route("/items", get(answer))).await;
    for auth in
        [Auth::Bearer(Secret::new("s3cr3t")), Auth::Basic { user: "u".to_owned(), password: Secret::new("s3cr3t") }]
    {
        let client = Client::new(ClientSettings { auth, ..ClientSettings::new(url.clone()) }).unwrap();
        let error = client.send(&Request::get("/items").query("api_key", &"s3cr3t".to_owned())).await.unwrap_err();
        let text = all_text(&error);
        assert!(!text.contains("s3cr3t") && !text.contains("dTpzM2NyM3Q"), "{text}");
        assert!(!format!("{client:?}").contains("s3cr3t"));
        let HttpError::Status { status, retry_after, url: shown, .. } = &error else { panic!("{error:?}") };
        assert_eq!((*status, *retry_after), (429, Some(Duration::from_secs(17))));
        assert_eq!(*shown, url.join("/items").unwrap().as_str());
        assert!(error.to_string().contains(r#"answered 429 Too Many Requests: {"message": "who is "#), "{error}");
    }
}

#[tokio::test]
async fn every_other_status_is_a_failure() {
    for (status, ok) in [(200, true), (201, true), (204, true), (304, false), (400, false), (404, false), (503, false)]
    {
        let url = serve(Router::new().fallback(move || async move { StatusCode::from_u16(status).unwrap() })).await;
        match client(url).send(&Request::get("/")).await {
            Ok(response) => assert!(ok && response.status == status && response.body.is_empty(), "{status}"),
            Err(error) => assert!(!ok && error.status() == Some(status), "{error:?}"),
        }
    }
}

#[tokio::test]
async fn content_that_is_cut_short_is_a_failure() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[1,2",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n[1,2\r\n",
    ] {
        let error = client(serve_bytes(answer).await).send(&Request::get("/")).await.unwrap_err();
        assert!(matches!(error, HttpError::Content { .. }), "{error:?}");
    }
    let error = client(serve_bytes("").await).send(&Request::get("/")).await.unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Connection, "{error:?}");
    assert!(error.may_have_been_sent());
    let error = client(serve_bytes("220 smtp ready\r\n").await).send(&Request::get("/")).await.unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Connection, "{error:?}");
}

const CONTENT: &str = r#"{"a":1}"#;
const REPEATED: usize = 50;

/// [`CONTENT`], [`REPEATED`], in each content coding.
fn codings() -> [(&'static str, Vec<u8>); 3] {
    let base64 = |text| BASE64_STANDARD.decode(text).unwrap();
    let content = CONTENT.repeat(REPEATED);
    // RFC 7932 section 9.2: a window of 16 bits, one uncompressed block, and an empty one that is the last.
    let block = (content.len() as u32 - 1) << 4 | 1 << 20;
    let brotli = [&block.to_le_bytes()[..3], content.as_bytes(), &[0b11]].concat();
    [
        ("gzip", base64("H4sIAAAAAAACA6tWSlSyMqytHqVoQQEA9N7FFF4BAAA=")),
        ("br", brotli),
        ("zstd", base64("KLUv/QRYdQAAOHsiYSI6MX0BAFRSixGRNpUz")),
    ]
}

fn coded(coding: &str, content: &[u8]) -> Vec<u8> {
    let mut answer =
        format!("HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n", content.len())
            .into_bytes();
    answer.extend_from_slice(content);
    answer
}

#[tokio::test]
async fn content_is_decompressed_and_limited() {
    for (coding, content) in codings() {
        let url = serve_bytes(coded(coding, &content)).await;
        let response = client(url.clone()).send(&Request::get("/")).await.unwrap();
        assert_eq!(response.body, CONTENT.repeat(REPEATED), "{coding}");

        let limited =
            |max_response_bytes| Client::new(ClientSettings { max_response_bytes, ..ClientSettings::new(url.clone()) });
        limited(350).unwrap().send(&Request::get("/")).await.unwrap();
        let error = limited(349).unwrap().send(&Request::get("/")).await.unwrap_err();
        assert!(matches!(error, HttpError::TooLarge { limit: 349, .. }), "{error:?}");

        let cut = serve_bytes(coded(coding, &content[..content.len() - 3])).await;
        let error = client(cut).send(&Request::get("/")).await.unwrap_err();
        assert!(matches!(error, HttpError::Content { .. }), "{coding}: {error:?}");
    }
    let claim = "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
    let error = client(serve_bytes(claim).await).send(&Request::get("/")).await.unwrap_err();
    assert!(matches!(error, HttpError::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn waits_no_longer_than_it_may() {
    let request_timeout = Duration::from_millis(50);
    let stuck = serve_start("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[1,2").await;
    for url in [serve_start("").await, stuck] {
        let client = Client::new(ClientSettings { request_timeout, ..ClientSettings::new(url) }).unwrap();
        let error = client.send(&Request::get("/")).await.unwrap_err();
        assert!(matches!(error, HttpError::Timeout { .. }), "{error:?}");
        assert!(error.may_have_been_sent());
    }
    let (_socket, url) = nobody();
    let error = client(url).send(&Request::get("/")).await.unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Connect);
    assert!(all_text(&error).contains("refused"), "{error:?}");
    assert!(!error.may_have_been_sent());
}

#[test]
fn speaks_tls_with_the_systems_certificates() {
    client("https://api.example.com".parse().unwrap());
}

#[test]
fn refuses_headers_that_http_cannot_carry() {
    for (name, value) in [("X-Key", "s3cr3t\r\nX-Other: 1"), ("X Key", "v")] {
        let mut settings = ClientSettings::new("http://a".parse().unwrap());
        settings.headers = vec![(name.to_owned(), Secret::new(value))];
        let error = Client::new(settings).unwrap_err();
        assert!(matches!(&error, HttpError::Header { name: given } if given == name), "{error:?}");
        assert!(!all_text(&error).contains("s3cr3t"));
    }
}

/// Versions that a client offers in its first message (RFC 8446 section 4.2.1).
async fn offered_versions(versions: TlsVersions) -> Vec<u8> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    let tls = Tls { versions, ..Tls::default() };
    let client = Client::new(ClientSettings { tls, ..ClientSettings::new(url) }).unwrap();
    let hello = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = vec![0; 4096];
        let length = tokio::io::AsyncReadExt::read(&mut stream, &mut bytes).await.unwrap();
        bytes.truncate(length);
        bytes
    };
    let request = Request::get("/");
    let (_, hello) = tokio::join!(client.send(&request), hello);
    // Extension 43: its length, and the length of the list.
    let at = hello.windows(2).position(|pair| pair == [0, 43]).unwrap();
    let length = usize::from(hello[at + 4]);
    hello[at + 5..at + 5 + length].to_vec()
}

#[tokio::test]
async fn nothing_older_than_tls_1_3_is_offered_if_so_configured() {
    assert_eq!(offered_versions(TlsVersions::Only13).await, [3, 4]);
    assert_eq!(offered_versions(TlsVersions::Both).await, [3, 4, 3, 3]);
}

/// Where tokens are got, by their number from 1, and an API that refuses the first; with how many were given.
async fn with_tokens(lifetime: u64) -> (ClientSettings, Arc<std::sync::atomic::AtomicUsize>) {
    let given = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&given);
    let token = move || {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        async move { format!(r#"{{"access_token": "token-{number}", "expires_in": {lifetime}}}"#) }
    };
    let items = |headers: Headers| async move {
        if headers["authorization"] == "Bearer token-1" { StatusCode::UNAUTHORIZED } else { StatusCode::OK }
    };
    let url = serve(Router::new().route("/token", post(token)).route("/items", get(items))).await;
    let mut settings = ClientSettings::new(url.clone());
    settings.auth = Auth::OAuth2(Box::new(OAuth2 {
        endpoint: TokenEndpoint {
            url: url.join("/token").unwrap(),
            client: Some(OAuthClient {
                id: "id".to_owned(),
                proof: Proof::Secret(Secret::new("secret"), CredentialsIn::Header),
            }),
            scope: String::new(),
            jwt: None,
            token_property: "access_token".to_owned(),
            headers: Vec::new(),
        },
        grant: Grant::ClientCredentials,
    }));
    (settings, given)
}

#[tokio::test]
async fn a_hundred_requests_get_one_token_and_another_when_it_is_refused() {
    let (settings, given) = with_tokens(3600).await;
    let client = Client::new(settings).unwrap();
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let client = client.clone();
        requests.spawn(async move { client.send(&Request::get("/items")).await.unwrap().status });
    }
    assert_eq!(requests.join_all().await, [200; 100]);
    assert_eq!(given.load(std::sync::atomic::Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_token_is_got_again_before_it_ends() {
    // It ends sooner than the margin that is kept, so that it is good for one request only.
    let (settings, given) = with_tokens(5).await;
    let client = Client::new(settings).unwrap();
    for tokens in [2, 3, 4] {
        client.send(&Request::get("/items")).await.unwrap();
        assert_eq!(given.load(std::sync::atomic::Ordering::SeqCst), tokens, "the first is refused");
    }
}

#[tokio::test]
async fn what_is_new_is_asked_for_before_what_is_old_if_a_host_takes_one_at_a_time() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (go, told) = tokio::sync::watch::channel(false);
    let paths = Arc::clone(&asked);
    let answer = move |uri: Uri| {
        let (paths, mut told) = (Arc::clone(&paths), told.clone());
        async move {
            paths.lock().unwrap().push(uri.path().to_owned());
            drop(told.wait_for(|told| *told).await);
        }
    };
    let mut settings = ClientSettings::new(serve(Router::new().fallback(answer)).await);
    let limits = Limits { concurrency: NonZeroU32::new(1), ..Limits::default() };
    settings.hosts = Hosts::new(limits, BreakerSettings::default());
    let live = Client::new(settings).unwrap();
    let mut all = tokio::task::JoinSet::new();
    let mut send = |client: Client, path: &'static str| {
        all.spawn(async move { client.send(&Request::get(path)).await.unwrap() });
    };
    send(live.clone(), "/first");
    while asked.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    for client in [live.clone().after_others(), live] {
        let path = if client.priority == Priority::Live { "/new" } else { "/old" };
        (0..5).for_each(|_| send(client.clone(), path));
    }
    // All of this is one thread: each comes as far as the limit.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    go.send_replace(true);
    all.join_all().await;
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked, [vec!["/first"], vec!["/new"; 5], vec!["/old"; 5]].concat());
}
