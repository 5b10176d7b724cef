//! What the component asks of its host, and what it gives: the list is the whole of its powers.

use std::{collections::BTreeSet, fs, path::PathBuf};

use omnistorage::runtime::COMPONENT;
use wasmtime::{Cache, CacheConfig, Config, Engine, component::Component};

/// A name without the patch version of WASI, which differs between toolchains.
fn normalised(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((interface, _)) if name.starts_with("wasi:") => interface.to_owned(),
        _ => name.to_owned(),
    }
}

#[test]
fn the_component_asks_for_what_the_list_says_and_nothing_else() {
    let mut config = Config::new();
    config.cache(Cache::new(CacheConfig::new()).ok());
    let engine = Engine::new(&config).unwrap();
    let component = Component::from_binary(&engine, COMPONENT).unwrap().component_type();
    let imports = component.imports(&engine).map(|(name, _)| format!("import {}", normalised(name)));
    let exports = component.exports(&engine).map(|(name, _)| format!("export {}", normalised(name)));
    let found: BTreeSet<_> = imports.chain(exports).collect();
    let found: String = found.into_iter().map(|line| line + "\n").collect();

    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/component/golden/imports.txt");
    if std::env::var_os("OMNISTORAGE_BLESS").is_some() {
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        fs::write(&golden, &found).unwrap();
    }
    let listed = fs::read_to_string(&golden).unwrap();
    assert_eq!(found, listed, "if this is meant, run the test once with OMNISTORAGE_BLESS=1");
}

#[test]
fn the_component_is_small() {
    assert!(COMPONENT.len() < 1 << 20, "{} bytes", COMPONENT.len());
}
