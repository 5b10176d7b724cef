//! Crates: each may depend on those of this workspace that are named here, and on no others.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

/// What ships, from the bottom up.
const MAY_USE: [(&str, &[&str]); 10] = [
    ("omnistorage-types", &[]),
    ("omnistorage-core", &["omnistorage-types"]),
    ("omnistorage-engine", &["omnistorage-core", "omnistorage-types"]),
    ("omnistorage-bindings", &["omnistorage-core", "omnistorage-engine", "omnistorage-types"]),
    ("omnistorage-component", &["omnistorage-bindings"]),
    ("omnistorage-codec", &["omnistorage-core", "omnistorage-types"]),
    // An application knows the component by its interface alone, and so does the host. The command line in a component is an
    // application.
    ("omnistorage-application", &["omnistorage-types"]),
    ("omnistorage", &["omnistorage-application", "omnistorage-types"]),
    ("omnistorage-command-line", &["omnistorage"]),
    ("omnistorage-provider", &["omnistorage", "omnistorage-types"]),
];

#[test]
fn crates_depend_on_those_below_them_alone() {
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&told.stdout).unwrap();
    let packages: BTreeMap<&str, &Value> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["name"].as_str().unwrap(), package))
        .collect();
    for (name, allowed) in MAY_USE {
        let dependencies = packages[name]["dependencies"].as_array().unwrap();
        for dependency in dependencies.iter().filter(|dependency| dependency["kind"].is_null()) {
            let dependency = dependency["name"].as_str().unwrap();
            let is_ours = packages.contains_key(dependency);
            assert!(!is_ours || allowed.contains(&dependency), "{name} must not depend on {dependency}");
        }
    }
}
