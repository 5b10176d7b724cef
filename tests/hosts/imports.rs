//! What each component asks of its host, and what it gives: the lists are the whole of their powers.

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use wasmparser::{Encoding, Parser, Payload};

use crate::{shipped::component, stock::is_left_out};

/// The interfaces that a component imports and exports.
pub(crate) fn interfaces(component: &[u8]) -> BTreeSet<String> {
    let (mut lines, mut depth) = (BTreeSet::new(), 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            Payload::Version { encoding, .. } => {
                assert!(depth > 0 || encoding == Encoding::Component);
                depth += 1;
            }
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(imports) if depth == 1 => {
                lines.extend(
                    imports.into_iter().map(|import| format!("import {}", import.unwrap().name.name)),
                );
            }
            Payload::ComponentExportSection(exports) if depth == 1 => {
                lines.extend(
                    exports.into_iter().map(|export| format!("export {}", export.unwrap().name.name)),
                );
            }
            _ => {}
        }
    }
    lines
}

/// A name without the patch version of WASI, which differs between toolchains.
fn normalised(line: &str) -> String {
    match line.rsplit_once('.') {
        Some((interface, _)) if line.starts_with("import wasi:") => interface.to_owned(),
        _ => line.to_owned(),
    }
}

fn lines(path: &str) -> BTreeSet<String> {
    fs::read_to_string(golden(path)).unwrap().lines().map(str::to_owned).collect()
}

fn golden(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares with the list of that name. What Rust's standard library may ask for, of WASI 0.2, is a list of its own.
fn asks_for_what_the_list_says(name: &str) {
    if is_left_out() {
        return;
    }
    let found = interfaces(&fs::read(component(name)).unwrap()).iter().map(|line| normalised(line)).collect();
    let standard = lines("../component/golden/standard-library.txt");
    let own: BTreeSet<_> = BTreeSet::difference(&found, &standard).cloned().collect();
    let list = format!("golden/{name}.txt");
    if env::var_os("OMNISTORAGE_BLESS").is_some() {
        fs::write(golden(&list), own.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }
    assert_eq!(own, lines(&list), "if this is meant, run the test once with OMNISTORAGE_BLESS=1");
}

#[test]
fn imports_of_what_is_composed_are_those_of_the_lists() {
    for name in [
        "omnistorage-blobstore",
        "omnistorage-cli",
        "omnistorage-files",
        "omnistorage-memory",
        "omnistorage-s3",
    ] {
        asks_for_what_the_list_says(name);
    }
}

#[test]
fn imports_of_the_parts_are_those_of_the_lists() {
    for name in [
        "omnistorage",
        "omnistorage-vocabulary",
        "omnistorage-provider-blobstore",
        "omnistorage-provider-files",
        "omnistorage-provider-memory",
        "omnistorage-provider-s3",
    ] {
        asks_for_what_the_list_says(name);
    }
}
