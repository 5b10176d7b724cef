//! The components, built and composed once.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, OnceLock},
};

use super::stock::tool;

/// To be plugged with: the library over files and memory, between which it moves all bytes itself.
pub(crate) const DETOURS: &str = "detours";

/// Where cargo builds.
pub(crate) fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}

fn run(command: &mut Command) {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// The library over a provider of files and memory that knows no short way between its backends, made once.
fn with_detours() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (provider, library) =
            (directory.join("provider-detours.wasm"), directory.join("omnistorage-detours.wasm"));
        run(script("build.sh").arg("omnistorage-provider").arg(&provider).arg("files,memory,detours"));
        let part = |name: &str, path: &Path| {
            let mut part = OsString::from(format!("omnistorage:{name}="));
            part.push(path);
            ["--dep".into(), part]
        };
        run(Command::new(tool("wac"))
            .arg("compose")
            .arg(repository().join("guest/library.wac"))
            .args(part("library", &component("omnistorage")))
            .args(part("provider", &provider))
            .args(part("vocabulary", &component("omnistorage-vocabulary")))
            .arg("--output")
            .arg(&library));
        library
    })
}

/// What is published of them, made once: WIT packages and OCI image layouts.
pub(crate) fn packages() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages");
        let cli = component("omnistorage-cli");
        run(script("packages.sh").arg(cli.parent().unwrap()).arg(&directory).env("WASH", tool("wash")));
        directory
    })
}

/// The tests of other crates use this file, too.
fn repository() -> &'static Path {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.into_iter().find(|above| above.join("guest/build.sh").is_file()).unwrap()
}

/// What it builds is built in the way of tests, unless the environment says otherwise.
fn script(name: &str) -> Command {
    let mut script = Command::new(repository().join("guest").join(name));
    script.env("CARGO_TARGET_DIR", target());
    if env::var_os("COMPONENT_PROFILE").is_none() {
        script.env("COMPONENT_PROFILE", "component-test");
    }
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
        let plug = if plug == DETOURS { with_detours().to_owned() } else { component(plug) };
        let socket = built(package);
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
