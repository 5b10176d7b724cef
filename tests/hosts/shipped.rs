//! The components as they ship, built and composed once.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, OnceLock},
};

use super::stock::tool;

/// Where cargo builds.
pub(crate) fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}

fn run(command: &mut Command) {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn script(name: &str) -> Command {
    // The tests of other crates use this file, too.
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .find(|above| above.join("guest/build.sh").is_file());
    let mut script = Command::new(repository.unwrap().join("guest").join(name));
    script.env("CARGO_TARGET_DIR", target());
    script
}

/// A component that ships, by its name.
pub(crate) fn component(name: &str) -> PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    let directory = DIRECTORY.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("components");
        run(script("components.sh").arg(&directory).env("WAC", tool("wac")));
        directory
    });
    directory.join(name).with_extension("wasm")
}

/// A component of a package of the tests or the examples, as it is.
pub(crate) fn built(package: &str) -> PathBuf {
    let component = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{package}.wasm"));
    run(script("build.sh").arg(package).arg(&component));
    component
}

/// The same, plugged with one that ships; made once.
pub(crate) fn plugged(package: &str, plug: &str) -> PathBuf {
    static MADE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let plugged = temporary.join(format!("{package}-{plug}.wasm"));
    // A test that failed here failed for all.
    let mut made = MADE.lock().unwrap();
    if !made.contains(&plugged) {
        let (socket, plug) = (built(package), component(plug));
        run(Command::new(tool("wac"))
            .arg("plug")
            .arg(&socket)
            .arg("--plug")
            .arg(plug)
            .arg("-o")
            .arg(&plugged));
        made.insert(plugged.clone());
    }
    plugged
}
