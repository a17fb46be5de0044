//! Wrong input: one clear diagnostic that tells the place and what to do, exit code 2, and nothing written.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "this is a test, helpers included")]

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use headwater_tests::{configuration, example, headwater, real_parts, unique_name, workspace};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Where a diagnostic about the annotation of the one operation points.
const ANNOTATION: &str = "openapi.yaml#/paths/~1repos~1{owner}~1{repo}~1issues/get/x-kafka-source";
/// And where that was written.
const WRITTEN: &str = "overlay.yaml#/actions/1/update/x-kafka-source";

/// A port of this machine at which nothing answers.
const CLOSED: &str = "127.0.0.1:1";

#[test]
fn a_document_that_is_missing() {
    let input = Input::new();
    let said = input.refused(&["no.yaml"]);
    assert_eq!(said, "error: the file `no.yaml` does not exist\n --> no.yaml\n");
    let said = input.refused(&["openapi.yaml", "--overlay", "no.yaml"]);
    assert_eq!(said, "error: the file `no.yaml` does not exist\n --> no.yaml\n");
}

#[test]
fn a_document_that_is_no_yaml_or_no_json() {
    let input = Input::new();
    input.write("bad.yaml", "openapi: 3.0.3\ninfo: {title: a\npaths: {}\n");
    let said = input.refused(&["bad.yaml"]);
    assert_eq!(said, "error: the YAML cannot be read: did not find expected ',' or '}'\n --> bad.yaml:3:6\n");
    input.write("bad.json", "{\"openapi\": \"3.0.3\",\n \"info\": }\n");
    assert_eq!(input.refused(&["bad.json"]), "error: the JSON cannot be read: expected value\n --> bad.json:2:10\n");
}

#[test]
fn a_reference_that_leads_nowhere() {
    let input = Input::new();
    input.change("openapi.yaml", "schemas/Milestone\"", "schemas/Milestones\"");
    assert_eq!(
        input.refused(&["openapi.yaml", "--overlay", "overlay.yaml"]),
        "error: the `$ref` to `#/components/schemas/Milestones` leads nowhere\n \
         --> openapi.yaml#/components/schemas/Issue/properties/milestone/$ref\n\
         hint: did you mean `#/components/schemas/Milestone`?\n"
    );
}

#[test]
fn an_overlay_target_that_matches_nothing() {
    let input = Input::new();
    input.change("overlay.yaml", "/issues'", "/issue'");
    assert_eq!(
        input.refused(&["openapi.yaml", "--overlay", "overlay.yaml"]),
        "warning: the target `$.paths['/repos/{owner}/{repo}/issue'].get` matches nothing in the document\n \
         --> overlay.yaml#/actions/1/target\n\
         hint: did you mean `/repos/{owner}/{repo}/issues`?\n\
         error: no operation is selected\n \
         --> openapi.yaml#/paths\n\
         hint: annotate operations with `x-kafka-source`, or name them with `--operations`; `headwater inspect` lists \
         what can be a stream\n"
    );
}

#[test]
fn an_annotation_of_a_field_that_the_schema_lacks() {
    for (right, wrong, place, field, nearest) in [
        ("field: /updated_at", "field: /updatedat", "/offset/field", "updatedat", "updated_at"),
        ("key: /id", "key: /idd", "/key", "idd", "id"),
    ] {
        let input = Input::new();
        input.change("overlay.yaml", right, wrong);
        assert_eq!(
            input.refused(&["openapi.yaml", "--overlay", "overlay.yaml"]),
            format!(
                "error: `/{field}`: the schema of `Issue` has no field `{field}`\n \
                 --> {ANNOTATION}{place} (written by {WRITTEN}{place})\n\
                 hint: did you mean `{nearest}`?\n"
            )
        );
    }
}

#[test]
fn an_annotation_that_is_unknown() {
    let input = Input::new();
    input.change("overlay.yaml", "key: /id", "keys: /id");
    assert_eq!(
        input.refused(&["openapi.yaml", "--overlay", "overlay.yaml"]),
        format!(
            "error: `x-kafka-source` has no key `keys`\n \
             --> {ANNOTATION}/keys (written by {WRITTEN}/keys)\n\
             hint: did you mean `key`?\n"
        )
    );
}

#[test]
fn an_operation_that_the_document_lacks() {
    let input = Input::new();
    assert_eq!(
        input.refused(&["openapi.yaml", "--operations", "listIssue"]),
        "error: the document has no operation `listIssue`\n \
         --> openapi.yaml#/paths\n\
         hint: did you mean `listIssues`?\n"
    );
}

#[test]
fn a_configuration_that_is_missing_or_no_json() {
    let input = Input::new();
    assert_eq!(input.not_run("no.json"), "error: reading `no.json`: No such file or directory (os error 2)\n");
    input.write("c.json", "{\n  \"name\": \"issues\",\n  \"owner\" \"acme\"\n}\n");
    assert_eq!(input.not_run("c.json"), "error: c.json:3: expected `:` at column 11\n");
}

#[test]
fn a_property_that_is_unknown_and_a_parameter_that_is_missing() {
    let input = Input::new();
    let mut settings = settings();
    settings["repos"] = settings.as_object_mut().unwrap().remove("repo").unwrap();
    input.write("c.json", &format!("{settings:#}"));
    let text = fs::read_to_string(input.0.path().join("c.json")).unwrap();
    let line = 1 + text.lines().position(|line| line.contains("repos")).unwrap();
    assert_eq!(
        input.not_run("c.json"),
        format!(
            "error: c.json:{line}: property `repos` is unknown\nhint: did you mean `repo`?\n\
             error: property `repo` is missing\nhint: Name of the repository, without the account.\n"
        )
    );
}

#[test]
fn a_secret_that_is_wrong_is_not_printed() {
    let input = Input::new();
    let mut settings = settings();
    settings["auth.type"] = json!("BEARER");
    settings["bearer.token"] = json!("hush\u{7}-hush");
    settings["bearer.tokens"] = json!("hush-hush");
    input.write("c.json", &settings.to_string());
    assert_eq!(
        input.not_run("c.json"),
        "error: c.json:1: property `bearer.tokens` is unknown\nhint: did you mean `bearer.token`?\n\
         error: c.json:1: property `bearer.token` holds a blank or another character that no token has\n"
    );
    settings.as_object_mut().unwrap().remove("bearer.tokens");
    settings["bearer.token"] = json!("${env:NO_SUCH_VARIABLE}");
    input.write("c.json", &settings.to_string());
    assert_eq!(
        input.not_run("c.json"),
        "error: c.json:1: property `bearer.token` holds `${env:NO_SUCH_VARIABLE}`, but there is no environment \
         variable of this name\n"
    );
}

/// One port is closed; the other takes connections and says nothing, which must end too.
#[test]
fn a_broker_that_does_not_answer() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap().to_string();
    let refused = |broker: &str| {
        let input = Input::new();
        let mut settings = settings();
        settings["bootstrap.servers"] = json!(broker);
        input.write("c.json", &settings.to_string());
        let said = input.not_run("c.json");
        assert!(said.starts_with(&format!("error: Kafka at `{broker}` did not answer within 2")), "{said}");
        let hint = "\nhint: check `bootstrap.servers`, and `security.protocol` if it is not plaintext\n";
        assert!(said.ends_with(hint), "{said}");
        assert_eq!(said.lines().count(), 2, "{said}");
        said
    };
    thread::scope(|scope| {
        scope.spawn(|| refused(&silent));
        let said = refused(CLOSED);
        assert!(said.contains("Connection refused"), "{said}");
    });
}

#[test]
fn a_registry_that_is_not_there() {
    let Some(parts) = real_parts().unwrap() else { return };
    let name = unique_name("diagnostics");
    let refused = |registry: &str| {
        let mut settings = configuration(parts, &name, "http://api.invalid");
        settings["value.converter.schema.registry.url"] = json!(registry);
        settings["api1.topics"] = json!(name);
        settings["owner"] = json!("acme");
        settings["repo"] = json!("rocket");
        let input = Input::new();
        input.write("c.json", &settings.to_string());
        input.not_run("c.json")
    };
    let said = refused(&format!("http://{CLOSED}"));
    assert!(
        said.starts_with("error: the schema registry `http://127.0.0.1:1/` cannot be reached, tried for "),
        "{said}"
    );
    assert!(said.ends_with("\nhint: check that the registry runs, its URL, and the network\n"), "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");

    let beside = format!("{}/nowhere", parts.registry);
    let said = refused(&beside);
    assert!(said.starts_with(&format!("error: the schema registry `{beside}` failed: ")), "{said}");
    assert!(said.contains("answered 404 Not Found"), "{said}");
    assert!(
        said.ends_with("\nhint: the URL may lack a path, such as `/apis/ccompat/v7` of Apicurio Registry\n"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 2, "{said}");
}

/// A folder with the document and the overlay of `examples/github-issues`, to be made wrong.
struct Input(TempDir);

impl Input {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in ["openapi.yaml", "overlay.yaml"] {
            fs::copy(workspace().join("specs/github-issues").join(file), folder.path().join(file)).unwrap();
        }
        Self(folder)
    }

    fn write(&self, file: &str, content: &str) {
        fs::write(self.0.path().join(file), content).unwrap();
    }

    /// Puts `wrong` in the place of `right`.
    fn change(&self, file: &str, right: &str, wrong: &str) {
        let path = self.0.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(right).count(), 1, "{file} should hold {right:?} once");
        fs::write(path, text.replace(right, wrong)).unwrap();
    }

    /// What `headwater generate` says of wrong input.
    fn refused(&self, arguments: &[&str]) -> String {
        let said = self.run(Command::new(headwater().unwrap()).arg("generate").args(arguments).args(["--out", "out"]));
        assert!(!self.0.path().join("out").exists(), "it was refused and written all the same");
        said
    }

    /// What the connector says of wrong configuration, apart from logs.
    fn not_run(&self, config: &str) -> String {
        let program = example("github-issues").unwrap();
        self.run(Command::new(program).env("HEADWATER_LOG", "off").args(["run", "--once", "--config", config]))
    }

    fn run(&self, command: &mut Command) -> String {
        let Output { status, stdout, stderr } = command.current_dir::<&Path>(self.0.path()).output().unwrap();
        let said = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(2), "{said}");
        assert_eq!(String::from_utf8(stdout).unwrap(), "");
        said
    }
}

/// A configuration that is right but for its servers.
fn settings() -> Value {
    json!({
        "name": "issues",
        "bootstrap.servers": CLOSED,
        "value.converter.schema.registry.url": format!("http://{CLOSED}"),
        "owner": "acme",
        "repo": "rocket",
    })
}
