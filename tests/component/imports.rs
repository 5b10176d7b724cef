//! What the components ask of their host, and what they give: the lists are the whole of their powers.

use std::{collections::BTreeSet, fs, path::PathBuf};

use omnistorage::runtime::COMPONENT;
use wasmtime::{Engine, component::Component};

use crate::build::build;

/// A name without the patch version of WASI, which differs between toolchains.
fn normalised(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((interface, _)) if name.starts_with("wasi:") => interface.to_owned(),
        _ => name.to_owned(),
    }
}

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/component/golden").join(name)
}

fn lines(name: &str) -> BTreeSet<String> {
    fs::read_to_string(golden(name)).unwrap().lines().map(str::to_owned).collect()
}

/// Compares with the list of that name, and with what the standard library may ask for.
fn asks_for_what_the_lists_say(component: &[u8], list: &str) {
    let engine = Engine::default();
    let component = Component::from_binary(&engine, component).unwrap().component_type();
    let imports = component.imports(&engine).map(|(name, _)| format!("import {}", normalised(name)));
    let exports = component.exports(&engine).map(|(name, _)| format!("export {}", normalised(name)));
    let (wasi, own): (BTreeSet<_>, BTreeSet<_>) =
        imports.chain(exports).partition(|line| line.starts_with("import wasi:"));

    if std::env::var_os("OMNISTORAGE_BLESS").is_some() {
        let own: String = own.iter().map(|line| format!("{line}\n")).collect();
        fs::write(golden(list), own).unwrap();
    }
    assert_eq!(own, lines(list), "if this is meant, run the test once with OMNISTORAGE_BLESS=1");
    // Rust's standard library asks for more than it is used for, and not for the same in each toolchain. The host
    // gives it nothing but the names.
    let allowed = lines("standard-library.txt");
    let more: Vec<_> = wasi.difference(&allowed).collect();
    assert!(more.is_empty(), "not on the list of what the standard library may ask for: {more:?}");
}

#[test]
fn the_component_asks_for_what_the_lists_say_and_nothing_else() {
    asks_for_what_the_lists_say(COMPONENT, "imports.txt");
}

#[test]
fn the_component_of_codecs_asks_for_nothing_of_ours() {
    let component = fs::read(build("omnistorage-codec")).unwrap();
    asks_for_what_the_lists_say(&component, "codec.txt");
    assert!(component.len() < 1 << 20, "{} bytes", component.len());
}

#[test]
fn the_component_is_small() {
    assert!(COMPONENT.len() < 9 << 18, "{} bytes", COMPONENT.len());
}
