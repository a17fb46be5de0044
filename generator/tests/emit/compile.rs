//! An emitted crate through the compiler, and its records through an independent Avro reader.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use headwater::emit::{EmitOptions, RuntimeDependency, emit};
use headwater::output;

use crate::{plans, workspace};

/// Where cargo builds this test, so that what is compiled already is used again.
fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().to_owned()
}

/// Runs cargo as from the workspace, so that its profile applies, on the crate in `folder`.
fn cargo(folder: &Path, arguments: &[&str]) {
    let (command, rest) = arguments.split_first().unwrap();
    let output = Command::new(env!("CARGO"))
        .current_dir(workspace())
        .args([*command, "--offline", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target())
        .args(rest)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    // The runtime may be warned about while it is worked on; what is emitted may not.
    assert!(!text.contains("warning: `every-thing`"), "{text}");
}

/// Makes Rust of the emitted Protobuf schemas, where the test beside them includes it.
fn compile_protobuf(folder: &Path) {
    let schemas = folder.join("schemas/protobuf");
    let mut files: Vec<_> = fs::read_dir(&schemas).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let descriptors = protox::compile(&files, [&schemas]).unwrap();
    prost_build::Config::new().out_dir(folder.join("tests")).compile_fds(descriptors).unwrap();
}

#[test]
fn a_crate_compiles_and_writes_by_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = workspace().join("runtime").to_str().unwrap().to_owned();
    let files = emit(&plans::everything(), &EmitOptions { runtime: RuntimeDependency::Path(runtime) }).unwrap();
    output::write(&files, folder.path()).unwrap();
    fs::copy(workspace().join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
    // What a user would do for tests of their own, beside what is generated.
    let manifest = folder.path().join("Cargo.toml");
    let dependencies = "\n[dev-dependencies]\napache-avro = { version = \"0.22\", default-features = false }\n\
                        prost = \"0.14\"\nprost-types = \"0.14\"\nserde_json = \"1\"\n";
    fs::write(&manifest, fs::read_to_string(&manifest).unwrap() + dependencies).unwrap();
    fs::create_dir_all(folder.path().join("tests")).unwrap();
    fs::write(folder.path().join("tests/round_trip.rs"), include_str!("round_trip.rs")).unwrap();
    compile_protobuf(folder.path());
    // Only the library is under test; the binary would be linked for nothing.
    fs::remove_file(folder.path().join("src/main.rs")).unwrap();

    cargo(folder.path(), &["test"]);
}
