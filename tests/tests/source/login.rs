//! `login`: a user lets the client in, and runs go on from it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use headwater_tests::{
    Answer, Isolation, Received, ScriptedApi, configuration, consume, example, headwater, real_parts, unique_name,
};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::auth::{form, with_oauth};
use crate::support::with;

/// What must be seen nowhere.
const SECRETS: [&str; 5] = ["the-c0de", "the-client-secret", "the-refresh-token", "the-next-token", "the-access-token"];

/// An authorization server, its token endpoint and its API; `back` is what a browser is sent back with, and `token` what is
/// answered to a code.
fn server(back: fn(&str) -> String, token: fn() -> Answer) -> ScriptedApi {
    let asked: Mutex<BTreeMap<String, String>> = Mutex::default();
    ScriptedApi::start(move |request: &Received| match request.path() {
        "/authorize" => {
            let query = form(request.target.split_once('?').unwrap().1);
            assert_eq!((&*query["response_type"], &*query["client_id"]), ("code", "me"));
            assert_eq!((&*query["access_type"], &*query["scope"]), ("offline", "read+offline_access"));
            assert_eq!(query["code_challenge_method"], "S256");
            let location = format!("{}?{}", query["redirect_uri"], back(&query["state"]));
            *asked.lock().unwrap() = query;
            Answer::new(302, "").header("location", &location)
        }
        "/token" => {
            assert_eq!(request.headers["authorization"], "Basic bWU6dGhlLWNsaWVudC1zZWNyZXQ=");
            let form = form(&request.body);
            if form["grant_type"] == "refresh_token" {
                assert_eq!(form["refresh_token"], "the-refresh-token");
                return json!({ "access_token": "the-access-token", "refresh_token": "the-next-token" }).into();
            }
            let asked = asked.lock().unwrap();
            let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, form["code_verifier"].as_bytes()));
            assert_eq!(challenge, asked["code_challenge"]);
            assert!((43..=128).contains(&form["code_verifier"].len()));
            assert_eq!(form["redirect_uri"], asked["redirect_uri"]);
            assert_eq!((&*form["grant_type"], &*form["code"], form.len()), ("authorization_code", "the-c0de", 4));
            token()
        }
        _ => match request.headers.get("authorization").map(String::as_str) {
            Some("Bearer the-access-token") => json!([{ "id": 1 }]).into(),
            _ => Answer::new(401, "{}"),
        },
    })
    .unwrap()
}

fn with_code(state: &str) -> String {
    format!("code=the-c0de&state={state}")
}

fn tokens() -> Answer {
    json!({ "access_token": "the-access-token", "refresh_token": "the-refresh-token" }).into()
}

/// A configuration in a folder of its own.
struct Source {
    scratch: tempfile::TempDir,
    config: Value,
}

impl Source {
    fn new(api: &ScriptedApi, more: Value) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let mut config = with_oauth(
            api,
            json!({
                "oauth2.grant.type": "REFRESH_TOKEN",
                "oauth2.client.id": "me",
                "oauth2.client.secret": "the-client-secret",
                "oauth2.client.scope": "read offline_access",
                "oauth2.authorization.url": format!("{}/authorize?access_type=offline", api.url()),
                "oauth2.refresh.token.file": scratch.path().join("token"),
            }),
        );
        with(&mut config, more);
        Self { scratch, config }
    }

    fn path(&self) -> PathBuf {
        let path = self.scratch.path().join("source.json");
        std::fs::write(&path, self.config.to_string()).unwrap();
        path
    }

    fn file(&self) -> PathBuf {
        self.scratch.path().join("token")
    }

    fn command(&self, command: &str, more: &[&str]) -> Output {
        Command::new(headwater().unwrap()).arg(command).arg(self.path()).args(more).output().unwrap()
    }

    /// Logs in as a user with a browser does; what the browser shows, and what the command has said.
    fn log_in(&self, more: &[&str]) -> (String, Output) {
        log_in(Command::new(headwater().unwrap()).arg("login").arg(self.path()).args(more))
    }
}

/// A login under way, its standard output open.
struct Login {
    process: Child,
    out: BufReader<std::process::ChildStdout>,
    said: String,
    /// What is to be opened.
    url: String,
}

fn begin(command: &mut Command) -> Login {
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("Waiting") {
        assert_ne!(out.read_line(&mut said).unwrap(), 0, "{said}: {:?}", process.wait_with_output());
    }
    let url = said.lines().find_map(|line| line.trim().strip_prefix("http")).map(|rest| format!("http{rest}")).unwrap();
    Login { process, out, said, url }
}

impl Login {
    fn end(mut self) -> Output {
        self.out.read_to_string(&mut self.said).unwrap();
        let output = self.process.wait_with_output().unwrap();
        Output { stdout: self.said.into_bytes(), ..output }
    }
}

fn log_in(command: &mut Command) -> (String, Output) {
    let login = begin(command);
    let browser = ureq::Agent::from(ureq::Agent::config_builder().http_status_as_error(false).build());
    let shown = browser.get(&login.url).call().unwrap().body_mut().read_to_string().unwrap();
    (shown, login.end())
}

/// Exit code and everything that was said, in which there is no secret.
fn outcome(output: &Output) -> (Option<i32>, String) {
    let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    for secret in SECRETS {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    (output.status.code(), said)
}

/// What a failed command has said on standard error.
fn failure(output: &Output, code: i32) -> String {
    let (status, said) = outcome(output);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(status, Some(code), "{said}");
    assert_eq!(told.matches("error: ").count(), 1, "{told}");
    told
}

#[test]
fn a_login_leads_to_a_refresh_token_that_runs_go_on_from() {
    let Some(parts) = real_parts().unwrap() else { return };
    let api = server(with_code, tokens);
    let topic = unique_name("login");
    let mut config = configuration(parts, &topic, &api.url());
    with(&mut config, json!({ "api1.topics": topic, "topic.creation.default.partitions": 1 }));
    let source = Source::new(&api, config);

    let told = failure(&source.command("run", &["--once"]), 2);
    assert!(told.contains("property `oauth2.refresh.token` is missing") && told.contains("run `login`"), "{told}");

    let (shown, output) = source.log_in(&[]);
    assert_eq!(shown, "You have come back from the login, and this page can be closed.\n");
    let (code, said) = outcome(&output);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with(&format!("The refresh token is kept in {}.\n", source.file().display())), "{said}");
    assert_eq!(std::fs::read_to_string(source.file()).unwrap(), "the-refresh-token");
    assert_eq!(source.file().metadata().unwrap().permissions().mode() & 0o777, 0o600);

    let (code, said) = outcome(&source.command("run", &["--once"]));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(consume(&parts.bootstrap, &topic, Isolation::ReadCommitted).unwrap().len(), 1);
    assert_eq!(std::fs::read_to_string(source.file()).unwrap(), "the-next-token");
}

#[test]
fn a_generated_connector_has_the_same_login() {
    let api = server(with_code, tokens);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let source = Source::new(&api, json!({}));
    let of_connector = |(name, value): (&String, &Value)| {
        let is_known = ["auth.", "oauth2.", "http.api.base.url"].iter().any(|prefix| name.starts_with(prefix));
        is_known.then(|| (name.clone(), value.clone()))
    };
    let config: Value = source.config.as_object().unwrap().iter().filter_map(of_connector).collect();
    let path = source.scratch.path().join("connector.json");
    std::fs::write(&path, config.to_string()).unwrap();
    let program = example("petstore-events").unwrap();
    let (_, output) = log_in(Command::new(program).args(["login", "--port", &port, "--config"]).arg(&path));
    let (code, said) = outcome(&output);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!("http://127.0.0.1:{port}/callback …\n")), "{said}");
    assert_eq!(std::fs::read_to_string(source.file()).unwrap(), "the-refresh-token");
}

#[test]
fn a_login_that_does_not_come_about_says_why() {
    let lacking = "The login has not come about: see where it was begun.\n";
    let done = "You have come back from the login, and this page can be closed.\n";
    let foreign = "This is no answer to the login that was begun: see where it was begun.\n";
    type Case = (fn(&str) -> String, fn() -> Answer, &'static str, &'static str, &'static str);
    let cases: [Case; 7] = [
        (|state| format!("error=access_denied&state={state}"), tokens, lacking, "was not let in", "and consent"),
        (
            |state| format!("error=invalid_scope&error_description=no%20such%20scope&state={state}"),
            tokens,
            lacking,
            "refused: `invalid_scope`: no such scope",
            "`oauth2.client.scope`",
        ),
        (|state| format!("state={state}"), tokens, lacking, "answered without a code", "`oauth2.authorization.url`"),
        (|_| with_code("another"), tokens, foreign, "its `state` is not the one", "nothing but the URL"),
        (|_| "code=the-c0de".to_owned(), tokens, foreign, "its `state` is not the one", "nothing but the URL"),
        (
            with_code,
            || Answer::new(400, r#"{"error": "invalid_grant", "not": ["the-c0de", "the-client-secret"]}"#),
            done,
            "answered 400 Bad Request: {\"error\": \"invalid_grant\", \"not\": [\"[hidden]\", \"[hidden]\"]}",
            "`oauth2.client.secret`",
        ),
        (
            with_code,
            || json!({ "access_token": "the-access-token" }).into(),
            done,
            "no refresh token",
            "`offline_access`",
        ),
    ];
    for (back, token, page, message, hint) in cases {
        let api = server(back, token);
        let source = Source::new(&api, json!({}));
        let (shown, output) = source.log_in(&[]);
        let told = failure(&output, 1);
        assert_eq!(shown, page, "{told}");
        let message = message.replace("no refresh token", "without a refresh token");
        assert!(told.contains(&message) && told.lines().nth(1).unwrap().contains(hint), "no {message:?} in {told}");
        assert!(!source.file().exists());
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let api = server(with_code, tokens);
    let source = Source::new(&api, json!({ "oauth2.token.url": format!("http://{nobody}/token") }));
    let told = failure(&source.log_in(&[]).1, 1);
    assert!(told.contains("connecting to `http://") && told.contains("hint: check `oauth2.token.url`"), "{told}");
}

#[test]
fn a_login_that_cannot_be_begun_opens_nothing() {
    let api = server(with_code, tokens);
    let refused = |more: Value, arguments: &[&str], message: &str| {
        let output = Source::new(&api, more).command("login", arguments);
        let told = failure(&output, 2);
        assert!(told.contains(message), "no {message:?} in {told}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "nobody is asked to open anything");
    };
    for name in ["oauth2.authorization.url", "oauth2.refresh.token.file", "oauth2.client.id", "oauth2.token.url"] {
        refused(json!({ name: "" }), &[], &format!("property `{name}` is missing"));
    }
    for url in ["https://login.test/#f", "https://u:p@login.test/", "https://login.test/?state=x", "login.test"] {
        refused(json!({ "oauth2.authorization.url": url }), &[], "which is not an absolute `http` or `https` URL");
    }
    refused(json!({ "auth.type": "NONE" }), &[], "there is nothing to log in to\nhint: set `auth.type=OAUTH2`");
    refused(json!({ "oauth2.grant.type": "PASSWORD" }), &[], "there is nothing to log in to");
    refused(json!({}), &["--operation", "api7"], "the connector has no operation `api7`");
    let cannot = "a refresh token cannot be kept in `";
    refused(json!({ "oauth2.refresh.token.file": "/nowhere/at/all/token" }), &[], cannot);
    refused(json!({ "oauth2.refresh.token.file": std::env::temp_dir() }), &[], cannot);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    refused(json!({}), &["--port", &port], &format!("cannot listen on port {port} of 127.0.0.1"));
    assert!(api.received().is_empty());
}

#[test]
fn a_login_that_nobody_answers_ends() {
    let api = server(with_code, tokens);
    let source = Source::new(&api, json!({}));
    let login = begin(Command::new(headwater().unwrap()).arg("login").arg(source.path()).args(["--timeout", "1"]));
    let told = failure(&login.end(), 1);
    assert!(told.contains("no answer of a login has come within 1 s") && told.contains("`--timeout`"), "{told}");
}

#[test]
fn of_several_logins_one_is_chosen() {
    let api = server(with_code, tokens);
    let scratch = tempfile::tempdir().unwrap();
    let own = scratch.path().join("own");
    let more = json!({
        "apis.num": "3",
        "api2.topics": "t",
        "api2.http.api.path": "/2",
        "api3.topics": "t",
        "api3.http.api.path": "/3",
        "api3.oauth2.refresh.token.file": own,
    });
    let mut source = Source::new(&api, more);
    let told = failure(&source.command("login", &[]), 2);
    assert!(told.contains("several logins\nhint: name one with `--operation`: `api1`, `api3`"), "{told}");
    let (_, output) = source.log_in(&["--operation", "api3"]);
    assert_eq!(outcome(&output).0, Some(0));
    assert_eq!(read(&own), "the-refresh-token");
    assert!(!source.file().exists());

    // Those who have no login, or had it elsewhere, are not in the way.
    let without = json!({
        "api2.auth.type": "NONE",
        "api3.oauth2.refresh.token": "elsewhere",
        "api3.oauth2.authorization.url": "",
    });
    let first = source.config["oauth2.authorization.url"].clone();
    with(&mut source.config, without);
    with(&mut source.config, json!({ "oauth2.authorization.url": "", "api1.oauth2.authorization.url": first }));
    let (_, output) = source.log_in(&[]);
    assert_eq!(outcome(&output).0, Some(0));
    assert_eq!(read(&source.file()), "the-refresh-token");
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}
