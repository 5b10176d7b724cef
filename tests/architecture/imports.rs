//! Modules: those of one folder import each other without circles. What is in a folder counts as one with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Sources that are held to it.
const SOURCES: [&str; 6] = [
    "guest/types/src",
    "guest/core/src",
    "guest/engine/src",
    "guest/bindings/src",
    "guest/provider/src",
    "host/src",
];

/// The path of a module in its crate.
type Module = Vec<String>;

#[test]
fn modules_of_a_folder_import_each_other_one_way() {
    let mut found = Vec::new();
    for source in SOURCES {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(source);
        for (folder, circle) in circles(&imports(&root)) {
            found.push(format!("{source}/{}: {}", folder.join("/"), circle.join(", ")));
        }
    }
    assert!(found.is_empty(), "these import each other in a circle:\n{}", found.join("\n"));
}

/// Each module, and those that it imports from.
fn imports(root: &Path) -> BTreeMap<Module, BTreeSet<Module>> {
    let mut files = Vec::new();
    collect(root, &mut files);
    let module = |file: &Path| -> Module {
        let inside = file.strip_prefix(root).unwrap().with_extension("");
        inside.iter().map(|name| name.to_str().unwrap().to_owned()).collect()
    };
    let modules: BTreeMap<Module, String> =
        files.iter().map(|file| (module(file), fs::read_to_string(file).unwrap())).collect();
    let known = |path: &[String]| {
        (1..=path.len()).rev().map(|length| path[..length].to_vec()).find(|path| modules.contains_key(path))
    };
    let imports = |at: &Module, text: &str| {
        uses(text).iter().filter_map(|path| known(&absolute(at, path)?)).filter(|other| other != at).collect()
    };
    modules.iter().map(|(at, text)| (at.clone(), imports(at, text))).collect()
}

fn collect(directory: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // Tests may look at all that they like, and the roots of crates name everything.
        if matches!(name.as_str(), "tests" | "tests.rs" | "lib.rs" | "main.rs") {
            continue;
        }
        if path.is_dir() {
            collect(&path, files);
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
}

/// The paths of the `use` items of a file, but for those of its tests.
fn uses(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let mut paths = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("use ") {
        let is_item = rest[..at].ends_with(['\n', ' ', ')']) || at == 0;
        let end = rest[at..].find(';').map_or(rest.len(), |end| at + end);
        if is_item && ["crate::", "super::", "self::"].iter().any(|start| rest[at + 4..].starts_with(start)) {
            let item: String = rest[at + 4..end].split_whitespace().collect();
            expand("", &item, &mut paths);
            rest = &rest[end..];
        } else {
            rest = &rest[at + 4..];
        }
    }
    paths
}

/// `a::{b, c::{d}}` as `a::b` and `a::c::d`.
fn expand(prefix: &str, item: &str, paths: &mut Vec<String>) {
    match item.split_once('{') {
        Some((start, rest)) => {
            let inner = rest.strip_suffix('}').unwrap_or(rest);
            let (mut depth, mut begun) = (0, 0);
            for (at, c) in inner.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        expand(&format!("{prefix}{start}"), &inner[begun..at], paths);
                        begun = at + 1;
                    }
                    _ => {}
                }
            }
            if begun < inner.len() {
                expand(&format!("{prefix}{start}"), &inner[begun..], paths);
            }
        }
        None => paths.push(format!("{prefix}{item}")),
    }
}

/// From the root of the crate.
fn absolute(at: &Module, path: &str) -> Option<Module> {
    let mut segments = path.split("::").peekable();
    let mut base = at.clone();
    match segments.next()? {
        "crate" => base.clear(),
        "super" => drop(base.pop()),
        _ => {}
    }
    while segments.next_if_eq(&"super").is_some() {
        base.pop();
    }
    base.extend(segments.map(str::to_owned));
    Some(base)
}

/// In each folder, the sets of modules that reach each other.
fn circles(imports: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<(Module, Vec<String>)> {
    let mut levels: BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (from, others) in imports {
        for to in others {
            let common = from.iter().zip(to).take_while(|(one, other)| one == other).count();
            if let (Some(one), Some(other)) = (from.get(common), to.get(common)) {
                let level = levels.entry(from[..common].to_vec()).or_default();
                level.entry(one.clone()).or_default().insert(other.clone());
            }
        }
    }
    let mut circles = Vec::new();
    for (folder, graph) in levels {
        let reached: BTreeMap<&String, BTreeSet<&String>> =
            graph.keys().map(|name| (name, reach(&graph, name))).collect();
        let mut done = BTreeSet::new();
        for (name, all) in &reached {
            let mutual: Vec<String> = all
                .iter()
                .filter(|other| reached.get(**other).is_some_and(|back| back.contains(name)))
                .map(|other| (*other).clone())
                .collect();
            if mutual.len() > 1 && done.insert(mutual.clone()) {
                circles.push((folder.clone(), mutual));
            }
        }
    }
    circles
}

fn reach<'g>(graph: &'g BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<&'g String> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(name) = open.pop() {
        for next in graph.get(name).into_iter().flatten() {
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    seen
}

#[test]
fn a_circle_is_seen() {
    let text = "use super::{b, c::{D, E}};\nuse crate::x::y;\n#[cfg(test)]\nmod tests { use super::z; }";
    assert_eq!(uses(text), ["super::b", "super::c::D", "super::c::E", "crate::x::y"]);
    let module = |path: &str| path.split('/').map(str::to_owned).collect::<Module>();
    let imports = |pairs: &[(&str, &str)]| {
        let mut imports: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
        for (from, to) in pairs {
            imports.entry(module(from)).or_default().insert(module(to));
        }
        imports
    };
    assert_eq!(circles(&imports(&[("a", "b"), ("b/c", "d"), ("d", "e")])), []);
    let found = circles(&imports(&[("x/a", "x/b"), ("x/b/c", "x/d"), ("x/d", "x/a")]));
    assert_eq!(found, [(module("x"), vec!["a".to_owned(), "b".to_owned(), "d".to_owned()])]);
}
