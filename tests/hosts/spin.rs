//! The example `spin`, as far as it can be checked without a Spin: its manifest, the rules of Spin's composer, and the
//! interfaces that Spin has.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{
    imports::interfaces,
    shipped::{built, component},
    stock::is_left_out,
};

/// What Spin 4.1 gives to an HTTP trigger of WASI, of all it has: packages, and the versions of them.
const PACKAGES: [(&str, &[&str]); 7] = [
    ("wasi:cli", &["0.2", "0.3"]),
    ("wasi:clocks", &["0.2", "0.3"]),
    ("wasi:filesystem", &["0.2", "0.3"]),
    ("wasi:http", &["0.2", "0.3"]),
    ("wasi:io", &["0.2"]),
    ("wasi:random", &["0.2", "0.3"]),
    ("wasi:sockets", &["0.2", "0.3"]),
];

/// The newest patch of WASI 0.2 that it has.
const NEWEST_OF_02: u32 = 6;

fn names(component: &Path, kind: &str) -> BTreeSet<String> {
    let all = interfaces(&fs::read(component).unwrap());
    all.iter().filter_map(|line| line.strip_prefix(kind)).map(str::to_owned).collect()
}

fn spin_has(interface: &str) -> bool {
    let Some((name, version)) = interface.split_once('@') else { return false };
    let Some((package, _)) = name.split_once('/') else { return false };
    let Some((minor, patch)) = version.rsplit_once('.') else { return false };
    let has = |known: &(&str, &[&str])| known.0 == package && known.1.contains(&minor);
    PACKAGES.iter().any(has)
        && (minor != "0.2" || patch.parse::<u32>().is_ok_and(|patch| patch <= NEWEST_OF_02))
}

fn manifest() -> toml::Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/spin/spin.toml");
    fs::read_to_string(path).unwrap().parse().unwrap()
}

/// The composer wants a dependency by its package, which exports all that is imported of it and imports none of it.
#[test]
fn the_dependency_has_all_that_the_function_wants() {
    if is_left_out() {
        return;
    }
    let (function, library) = (built("omnistorage-example-edge"), component("omnistorage-s3"));
    let wanted: BTreeSet<_> =
        names(&function, "import ").into_iter().filter(|name| name.starts_with("omnistorage:")).collect();
    assert!(!wanted.is_empty() && wanted.is_subset(&names(&library, "export ")), "{wanted:?}");
    assert!(names(&library, "import ").iter().all(|name| !name.starts_with("omnistorage:")));
}

#[test]
fn what_is_left_to_ask_for_is_what_spin_has() {
    if is_left_out() {
        return;
    }
    let (function, library) = (built("omnistorage-example-edge"), component("omnistorage-s3"));
    let own = names(&function, "import ").into_iter().filter(|name| !name.starts_with("omnistorage:"));
    let lacking: Vec<_> = own.chain(names(&library, "import ")).filter(|name| !spin_has(name)).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
    assert!(names(&function, "export ").iter().any(|name| name.starts_with("wasi:http/handler@0.3.")));
}

#[test]
fn the_manifest_grants_what_the_library_needs_and_no_more() {
    let manifest = manifest();
    let function = &manifest["component"]["records"];
    let dependencies = function["dependencies"].as_table().unwrap();
    let [(package, library)] = &dependencies.iter().collect::<Vec<_>>()[..] else {
        panic!("{dependencies:?}")
    };
    assert_eq!(*package, "omnistorage:storage");
    let inherited: Vec<_> = library["inherit_configuration"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    assert_eq!(inherited, ["allowed_outbound_hosts", "environment"]);
    // Each of them is there to be inherited, and the environment describes the backend that the function opens.
    assert!(!function["allowed_outbound_hosts"].as_array().unwrap().is_empty());
    assert_eq!(function["environment"]["OMNISTORAGE_DATA_KIND"].as_str(), Some("s3"));
    // Both are what is made for it.
    let made = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Makefile")).unwrap();
    let source = function["source"].as_str().unwrap().strip_prefix("../../target").unwrap();
    assert!(made.contains(&format!("$(target){source}\n")), "nothing makes {source}");
    assert_eq!(library["path"].as_str(), Some("../../target/components/omnistorage-s3.wasm"));
}
