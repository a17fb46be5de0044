//! The generated workflow, its steps run as GitHub runs them, in a repository of its own: with `git` as it is, and a `gh`
//! that only notes what it is asked for.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "this is a test, helpers included")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_yaml::Value;

const GH: &str = "#!/bin/sh\necho \"$*\" >> \"$RUNNER_TEMP/gh\"\n";

/// A checkout of a repository that holds a generated crate and the document that it comes from.
struct Checkout {
    root: tempfile::TempDir,
}

impl Checkout {
    fn prepare() -> Self {
        let checkout = Self { root: tempfile::tempdir().unwrap() };
        for folder in ["bin", "temp", "crate/api"] {
            fs::create_dir_all(checkout.at(folder)).unwrap();
        }
        fs::write(checkout.at("bin/gh"), GH).unwrap();
        fs::set_permissions(checkout.at("bin/gh"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink(env!("CARGO_BIN_EXE_headwater"), checkout.at("bin/headwater")).unwrap();
        let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/petstore-events");
        for file in ["openapi.yaml", "overlay.yaml"] {
            fs::copy(specs.join(file), checkout.at("crate/api").join(file)).unwrap();
        }
        let generated = checkout.bash("headwater generate $ARGUMENTS --out .");
        assert!(generated.status.success(), "{generated:?}");
        let committed = checkout.bash(
            "git init --quiet --initial-branch main . && git add --all \
             && git -c user.name=t -c user.email=t@example.com commit --quiet --message first \
             && git init --quiet --bare ../origin && git remote add origin ../origin",
        );
        assert!(committed.status.success(), "{committed:?}");
        checkout
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// What a step does: in the checkout, ending at the first command that fails.
    fn bash(&self, script: &str) -> Output {
        let path = format!("{}:{}", self.at("bin").display(), std::env::var("PATH").unwrap());
        let mut bash = Command::new("bash");
        bash.current_dir(self.at("crate")).args(["-e", "-o", "pipefail", "-c", script]);
        bash.env("PATH", path).env("RUNNER_TEMP", self.at("temp")).env("GITHUB_STEP_SUMMARY", self.at("temp/summary"));
        bash.env("GITHUB_REF_NAME", "main").env("ARGUMENTS", "api/openapi.yaml --overlay api/overlay.yaml");
        // What git is told beyond the repository must not matter.
        bash.env("BRANCH", "headwater/regenerate")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        bash.output().unwrap()
    }

    /// Runs the steps between the installation and the test.
    fn run(&self) {
        let workflow = fs::read_to_string(self.at("crate/.github/workflows/headwater.yml")).unwrap();
        let workflow: Value = serde_yaml::from_str(&workflow).unwrap();
        let job = &workflow["jobs"]["regenerate"];
        assert_eq!(job["env"]["BRANCH"], "headwater/regenerate");
        let steps = job["steps"].as_sequence().unwrap();
        for step in steps.iter().filter_map(|step| step["run"].as_str()).filter(|run| !run.starts_with("cargo ")) {
            let output = self.bash(step);
            assert!(output.status.success(), "{step}\n{output:?}");
        }
    }
}

#[test]
fn opens_what_changed_with_what_it_means() {
    let programs = ["git", "bash"];
    if let Some(missing) = programs.iter().find(|it| Command::new(it).arg("--version").output().is_err()) {
        eprintln!("skipped: no {missing}");
        return;
    }
    let checkout = Checkout::prepare();
    let asked = || fs::read_to_string(checkout.at("temp/gh")).unwrap_or_default();
    checkout.run();
    assert_eq!(asked(), "", "nothing changed");

    let document = checkout.at("crate/api/openapi.yaml");
    let text = fs::read_to_string(&document).unwrap();
    fs::write(&document, text.replace("        note:\n", "        sold_to: {type: string}\n        note:\n")).unwrap();
    checkout.run();
    let asked = asked();
    let asked: Vec<_> = asked.lines().collect();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[0].starts_with("pr list --head headwater/regenerate --state open"), "{asked:?}");
    assert!(asked[1].starts_with("pr create --base main --head headwater/regenerate --title "), "{asked:?}");
    let comment = fs::read_to_string(checkout.at("temp/comment.md")).unwrap();
    assert!(comment.contains("| field added `/sold_to`: `optional string` | compatible | compatible |"), "{comment}");
    assert!(fs::read_to_string(checkout.at("temp/summary")).unwrap().ends_with(&comment));
    let pushed = checkout.bash("git --git-dir ../origin show --stat headwater/regenerate");
    let pushed = String::from_utf8(pushed.stdout).unwrap();
    assert!(pushed.contains("schemas/avro/event.avsc") && pushed.contains("spec/openapi.json"), "{pushed}");
}
