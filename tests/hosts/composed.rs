//! Components of this workspace, composed with the library and the files of the host.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A program that `make test` put beside the others, or that is on PATH; `None` if hosts are left out on purpose.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let without = env::var("OMNISTORAGE_WITHOUT").unwrap_or_default();
    if without.split_whitespace().any(|left_out| left_out == "hosts") {
        return None;
    }
    let tools = target().join("tools");
    let path = env::var_os("PATH").unwrap_or_default();
    let places = [tools.join("bin"), tools.join("python/bin")].into_iter().chain(env::split_paths(&path));
    let found = places.map(|place| place.join(name)).find(|program| program.exists());
    Some(found.unwrap_or_else(|| {
        panic!("there is no `{name}`: run `make test`, which installs it, or leave this out with OMNISTORAGE_WITHOUT=hosts")
    }))
}

/// The component of a package, with the library and the files of the host in it.
pub(crate) fn composed(package: &str) -> PathBuf {
    let _turn = turn();
    plugged(&build(package), &library(), &format!("{package}-composed"))
}

/// The component of a package as it is.
pub(crate) fn built(package: &str) -> PathBuf {
    let _turn = turn();
    build(package)
}

/// Tests run side by side, and each output is of one of them at a time.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The library over the files of the host.
fn library() -> PathBuf {
    let parts = [
        ("vocabulary", build("omnistorage-vocabulary")),
        ("provider", build("omnistorage-provider")),
        ("library", build("omnistorage-component")),
    ];
    let mut compose = Command::new(tool("wac").unwrap());
    compose.arg("compose").arg(repository().join("guest/library.wac"));
    for (name, component) in parts {
        compose.arg("--dep").arg(format!("omnistorage:{name}={}", component.display()));
    }
    written(compose, "library")
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

fn build(package: &str) -> PathBuf {
    let component = target().join("hosts").join(package).with_extension("wasm");
    let built = Command::new(repository().join("guest/build.sh"))
        .arg(package)
        .arg(&component)
        .env("CARGO_TARGET_DIR", target())
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    component
}

/// Fills what one component imports with what another exports.
fn plugged(socket: &Path, plug: &Path, name: &str) -> PathBuf {
    let mut compose = Command::new(tool("wac").unwrap());
    compose.arg("plug").arg(socket).arg("--plug").arg(plug);
    written(compose, name)
}

/// Runs it with an output, which is whole or as it was.
fn written(mut compose: Command, name: &str) -> PathBuf {
    let output = target().join("hosts").join(name).with_extension("wasm");
    let beside = output.with_extension(format!("{}.part", std::process::id()));
    let done = compose.arg("-o").arg(&beside).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    fs::rename(&beside, &output).unwrap();
    output
}
