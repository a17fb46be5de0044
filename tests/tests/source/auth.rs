//! Who asks: an API in its own way, grants of OAuth 2.0, signed assertions, and authenticators of one's own.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use headwater_runtime::http::{Authenticator, Credentials, Outgoing};
use headwater_runtime::secret::Secret;
use headwater_tests::{Answer, Received, ScriptedApi};
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use rcgen::KeyPair;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey,
    VerificationAlgorithm,
};
use serde_json::{Value, json};

use crate::stores::Keytool;
use crate::support::{Broker, config, with};

#[test]
fn an_api_can_authenticate_in_its_own_way() {
    let api = ScriptedApi::start(|_: &Received| json!([])).unwrap();
    let mut more = json!({ "auth.type": "BEARER", "bearer.token": "t", "apis.num": "5" });
    for number in 1..=5 {
        more[format!("api{number}.http.api.path")] = json!(format!("/{number}"));
        more[format!("api{number}.topics")] = json!("t");
    }
    for (name, value) in [
        ("api2.auth.type", "NONE"),
        ("api3.bearer.token", "u"),
        ("api4.auth.type", "BASIC"),
        ("api4.connection.user", "u"),
        ("api4.connection.password", "p"),
        ("api5.auth.type", "API_KEY"),
        ("api5.api.key.value", "k"),
        ("api5.api.key.name", "key"),
        ("api5.api.key.location", "QUERY"),
    ] {
        more[name] = json!(value);
    }
    let broker = Broker::start();
    broker.run(&config(&api, more.clone())).unwrap();
    let mut sent: Vec<_> = api
        .received()
        .into_iter()
        .map(|request| (request.target, request.headers.get("authorization").cloned().unwrap_or_default()))
        .collect();
    sent.sort_unstable();
    let expected = [("/1", "Bearer t"), ("/2", ""), ("/3", "Bearer u"), ("/4", "Basic dTpw"), ("/5?key=k", "")];
    assert_eq!(sent, expected.map(|(target, header)| (target.to_owned(), header.to_owned())));

    more["api4.connection.user"] = json!("");
    more["bearer.token"] = json!("a b");
    more["bootstrap.servers"] = json!("kafka:9092");
    let told = broker.problems(&config(&api, more));
    assert!(told.contains("property `api4.connection.user` is missing"), "{told}");
    assert_eq!(told.matches("`bearer.token` holds a blank").count(), 1, "{told}");
}

/// A source whose one API asks `/token` for tokens.
pub(crate) fn with_oauth(api: &ScriptedApi, more: Value) -> Value {
    let mut all = json!({
        "auth.type": "OAUTH2",
        "oauth2.token.url": format!("{}/token", api.url()),
        "api1.http.offset.mode": "SNAPSHOT_PAGINATION",
    });
    with(&mut all, more);
    config(api, all)
}

/// The parameters of a form.
pub(crate) fn form(body: &str) -> BTreeMap<String, String> {
    url_decoded(body).collect()
}

fn url_decoded(body: &str) -> impl Iterator<Item = (String, String)> {
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            match byte {
                b'%' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
                }
                byte => bytes.push(byte),
            }
        }
        String::from_utf8(bytes).unwrap()
    };
    body.split('&').map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), decode(value))
    })
}

#[test]
fn a_refresh_token_that_is_good_for_one_use_is_kept_for_the_next_run() {
    let uses = AtomicUsize::new(0);
    let api = ScriptedApi::start(move |request: &Received| {
        if request.path() != "/token" {
            assert_eq!(request.headers["authorization"], format!("Bearer a{}", uses.load(Ordering::SeqCst)));
            return Answer::from(json!([1]));
        }
        let form = form(&request.body);
        assert_eq!((&*form["grant_type"], &*form["client_id"], form.get("scope")), ("refresh_token", "me", None));
        let number = uses.fetch_add(1, Ordering::SeqCst);
        if form["refresh_token"] != format!("r{number}") {
            return Answer::new(400, format!("{{\"not\": \"{}\"}}", form["refresh_token"]));
        }
        json!({ "access_token": format!("a{}", number + 1), "refresh_token": format!("r{}", number + 1) }).into()
    })
    .unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("refresh-token");
    let mut config = with_oauth(
        &api,
        json!({
            "oauth2.grant.type": "REFRESH_TOKEN",
            "oauth2.client.id": "me",
            "oauth2.refresh.token": "r0",
            "oauth2.refresh.token.file": file,
            "apis.num": "2",
            "api2.topics": "records",
            "api2.http.api.path": "/others",
            "api2.http.offset.mode": "SNAPSHOT_PAGINATION",
        }),
    );
    let broker = Broker::start();
    for run in 1..=3 {
        assert_eq!(broker.run(&config).unwrap().records, 2, "both streams, by one token");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("r{run}"));
    }
    assert_eq!(broker.values().len(), 6);
    assert_eq!(api.received().iter().filter(|request| request.path() == "/token").count(), 3);
    // What comes back of a secret is not shown.
    std::fs::write(&file, "old-refresh-token").unwrap();
    config["api1.max.retries"] = json!("0");
    config["api2.max.retries"] = json!("0");
    let error = format!("{:?}", broker.run(&config).unwrap_err());
    assert!(error.contains("[hidden]") && !error.contains("old-refresh-token"), "{error}");
}

#[test]
fn a_user_can_be_who_tokens_are_for() {
    let api = ScriptedApi::start(|request: &Received| match request.path() {
        "/token" => json!({ "access_token": "t" }),
        _ => json!([request.headers["authorization"]]),
    })
    .unwrap();
    let broker = Broker::start();
    let more = json!({
        "oauth2.grant.type": "PASSWORD",
        "oauth2.client.id": "me",
        "oauth2.client.scope": "read",
        "connection.user": "ann",
        "connection.password": "p&w",
    });
    broker.run(&with_oauth(&api, more)).unwrap();
    assert_eq!(broker.values(), [r#""Bearer t""#]);
    let body = "grant_type=password&username=ann&password=p%26w&scope=read&client_id=me";
    assert_eq!(api.received()[0].body, body);
    let missing = broker.problems_with(&with_oauth(&api, json!({ "oauth2.grant.type": "REFRESH_TOKEN" })), &[], true);
    for name in ["oauth2.client.id", "oauth2.refresh.token"] {
        assert!(missing.contains(&format!("property `{name}` is missing")), "{missing}");
    }
}

/// The form of the one request for a token.
fn asked(more: Value) -> (ScriptedApi, BTreeMap<String, String>) {
    let api = ScriptedApi::start(|request: &Received| match request.path() {
        "/token" => json!({ "access_token": "t" }),
        _ => json!([1]),
    })
    .unwrap();
    assert_eq!(Broker::start().run(&with_oauth(&api, more)).unwrap().records, 1);
    let token = api.received().into_iter().find(|request| request.path() == "/token").unwrap();
    let form = form(&token.body);
    (api, form)
}

/// Header and claims of a token in the compact form, if its signature is right.
fn verified(token: &str, algorithm: &'static dyn VerificationAlgorithm, public: &[u8]) -> (Value, Value) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let decoded = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    UnparsedPublicKey::new(algorithm, public).verify(signed.as_bytes(), &decoded(signature)).unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    (serde_json::from_slice(&decoded(header)).unwrap(), serde_json::from_slice(&decoded(claims)).unwrap())
}

#[test]
fn a_signed_assertion_is_a_grant_a_proof_or_a_parameter() {
    let pair = KeyPair::generate().unwrap();
    let claims = |token: &str, audience: &str| {
        let (header, claims) = verified(token, &ECDSA_P256_SHA256_FIXED, pair.public_key_raw());
        assert_eq!((&header["alg"], &claims["aud"]), (&json!("ES256"), &json!(audience)));
        claims
    };
    let signed = |more: Value| {
        let mut all = json!({
            "oauth2.jwt.keystore.path": pair.serialize_pem(),
            "oauth2.jwt.signature.algorithm": "es256",
            "oauth2.jwt.lifetime.ms": "60000",
        });
        with(&mut all, more);
        asked(all)
    };

    let (_, form) = signed(json!({
        "oauth2.grant.type": "JWT_BEARER",
        "oauth2.jwt.claimset": r#"{"iss": "robot", "scope": "read", "aud": "elsewhere"}"#,
        "oauth2.jwt.key.id": "k1",
    }));
    assert_eq!(form.keys().collect::<Vec<_>>(), ["assertion", "grant_type"]);
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let (header, _) = verified(&form["assertion"], &ECDSA_P256_SHA256_FIXED, pair.public_key_raw());
    assert_eq!(header["kid"], "k1");
    let claimed = claims(&form["assertion"], "elsewhere");
    assert_eq!((&claimed["iss"], &claimed["scope"]), (&json!("robot"), &json!("read")));
    assert_eq!(claimed["exp"].as_u64().unwrap(), claimed["iat"].as_u64().unwrap() + 60);

    let (api, form) = signed(json!({ "oauth2.client.auth.mode": "jwt", "oauth2.client.id": "me" }));
    assert_eq!((&*form["grant_type"], &*form["client_id"]), ("client_credentials", "me"));
    assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let claimed = claims(&form["client_assertion"], &format!("{}/token", api.url()));
    assert_eq!((&claimed["iss"], &claimed["sub"]), (&json!("me"), &json!("me")));

    let (api, form) =
        signed(json!({ "oauth2.jwt.enabled": "true", "oauth2.client.id": "me", "oauth2.client.secret": "s" }));
    claims(&form["jwt_token"], &format!("{}/token", api.url()));

    let broker = Broker::start();
    for (more, problem) in [
        (json!({}), "property `oauth2.jwt.keystore.path` is missing"),
        (
            json!({ "oauth2.jwt.keystore.path": pair.serialize_pem() }),
            "`oauth2.jwt.keystore.path` holds a private key that cannot sign by the algorithm",
        ),
        (
            json!({ "oauth2.jwt.keystore.path": "/nowhere" }),
            "`oauth2.jwt.keystore.path` is neither PEM, nor a JKS store, nor a PKCS #12",
        ),
        (
            json!({ "oauth2.jwt.keystore.path": pair.serialize_pem(), "oauth2.jwt.claimset": "[]" }),
            "property `oauth2.jwt.claimset` is `[]`, which is not a JSON object",
        ),
    ] {
        let mut all = json!({ "oauth2.grant.type": "JWT_BEARER" });
        with(&mut all, more);
        let told = broker.problems_with(&with_oauth(&api, all), &[], true);
        assert!(told.contains(problem) && told.lines().count() == 1, "no {problem:?} in:\n{told}");
    }
}

#[test]
fn a_key_of_a_store_that_java_has_made_signs_too() {
    let stores = Keytool::in_scratch();
    if stores.is_missing("a_key_of_a_store_that_java_has_made_signs_too") {
        return;
    }
    let key =
        ["-genkeypair", "-alias", "a", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=x", "-validity", "9999"];
    stores.run(&[&key[..], &["-storetype", "PKCS12", "-storepass", "changeit"]].concat(), "store.p12");
    let p12 = stores.path("store.p12");
    let import = ["-importkeystore", "-srckeystore", &p12, "-srcstorepass", "changeit", "-deststoretype", "JKS"];
    stores.run_to(&[&import[..], &["-deststorepass", "changeit"]].concat(), "store.jks");

    let content = std::fs::read(&p12).unwrap();
    let keys = KeyStore::from_pkcs12(&content, "changeit", Pkcs12ImportPolicy::Relaxed).unwrap();
    let (_, chain) = keys.private_key_chain().unwrap();
    let public = RsaKeyPair::from_pkcs8(chain.key().as_der()).unwrap().public_key().as_ref().to_vec();
    let jks = std::fs::read(stores.path("store.jks")).unwrap();
    assert!(jks.starts_with(&[0xfe, 0xed, 0xfe, 0xed]));
    for (place, of_type) in [
        (BASE64_STANDARD.encode(content), "PKCS12"),
        (p12, "PKCS12"),
        (BASE64_STANDARD.encode(jks), "JKS"),
        (stores.path("store.jks"), "JKS"),
    ] {
        let (api, form) = asked(json!({
            "oauth2.client.id": "me",
            "oauth2.client.secret": "s",
            "oauth2.jwt.enabled": "true",
            "oauth2.jwt.keystore.path": place,
            "oauth2.jwt.keystore.password": "changeit",
            "oauth2.jwt.keystore.type": of_type,
            "oauth2.jwt.claimset": r#"{"sub": "other"}"#,
        }));
        let (header, claimed) = verified(&form["jwt_token"], &RSA_PKCS1_2048_8192_SHA256, &public);
        assert_eq!((&header["alg"], &claimed["aud"]), (&json!("RS256"), &json!(format!("{}/token", api.url()))));
        assert_eq!((&claimed["iss"], &claimed["sub"]), (&json!("me"), &json!("other")));
    }
}

/// Numbers each request, and signs what is to be sent.
#[derive(Default)]
struct Numbered {
    seen: Mutex<Vec<String>>,
    refused: AtomicUsize,
}

impl Authenticator for &'static Numbered {
    fn credentials<'a>(&'a self, request: Outgoing<'a>) -> Credentials<'a> {
        Box::pin(async move {
            let mut seen = self.seen.lock().unwrap();
            seen.push(format!("{} {}", request.method, request.url.path()));
            Ok(vec![("X-Number".to_owned(), Secret::new(format!("number-{}", seen.len())))])
        })
    }

    fn refused(&self) -> bool {
        self.refused.fetch_add(1, Ordering::SeqCst) == 0
    }
}

#[test]
fn a_generated_connector_takes_an_authenticator_of_ones_own() {
    let api = ScriptedApi::start(|request: &Received| match (request.headers.get("x-number"), request.path()) {
        // The first is refused, and the next number asked for.
        (Some(number), _) if number == "number-1" => Answer::new(401, "{}"),
        (_, "/events") => json!({ "data": [] }).into(),
        _ => json!([]).into(),
    })
    .unwrap();
    let own: &'static Numbered = Box::leak(Box::default());
    let connector = petstore_events::connector().authenticator(own);
    let mut settings = json!({ "name": "source", "http.api.base.url": api.url(), "store": "s" });
    let broker = Broker::start();
    broker.run_generated(&connector, &settings).unwrap();
    let numbers = api.received().iter().filter(|request| request.headers.contains_key("x-number")).count();
    assert_eq!((numbers, own.seen.lock().unwrap().len()), (3, 3), "two streams, and one request once more");
    assert_eq!(own.refused.load(Ordering::SeqCst), 1);

    with(&mut settings, json!({ "auth.type": "BEARER", "bearer.token": "t" }));
    broker.run_generated(&connector, &settings).unwrap();
    assert!(api.received().iter().all(|request| request.headers["authorization"] == "Bearer t"));
    assert_eq!(own.seen.lock().unwrap().len(), 3, "what is configured takes its place");
}
