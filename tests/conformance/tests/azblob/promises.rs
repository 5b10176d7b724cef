//! All promises; but names and keys of metadata that the service does not take are refused.

use std::sync::Arc;

use omnistorage::{
    AzblobBackend, Backend, ErrorCode, Path,
    backend::{ListOptions, ReadOptions, WriteOptions},
};
use omnistorage_test_servers::azurite;

async fn on_azurite() -> (Arc<dyn Backend>, ()) {
    (Arc::new(AzblobBackend::from_config(azurite().config()).unwrap()), ())
}

omnistorage_conformance::conformance_tests!(on_azurite, rows);

/// All of them, two as this service keeps them.
mod rows {
    pub(super) use omnistorage_conformance::*;

    pub(super) mod attributes {
        pub(in crate::promises) use super::super::metadata_is_kept;
        pub(crate) use omnistorage_conformance::attributes::*;
    }

    pub(super) mod names {
        pub(in crate::promises) use super::super::printable_names_are_kept;
        pub(crate) use omnistorage_conformance::names::*;
    }
}

async fn printable_names_are_kept(backend: Arc<dyn Backend>) {
    let kept = [
        " ",
        "  two before",
        "two after  ",
        "..foo",
        "a..b",
        ".hidden",
        "~",
        "-rf",
        "*",
        "?",
        "[a-z]",
        "{a,b}",
        "!important",
        "#fragment",
        "a?query=1&b=2",
        "a:b",
        "'quotes\"`",
        "<a>|$@^()+=;,",
        "%",
        "%2F",
        "%2e%2e",
        "100%25",
        "a+b",
        "nul",
    ];
    for name in kept {
        let path = Path::parse(format!("{name}/{name}")).unwrap();
        backend.write_all(&path, name.into(), &WriteOptions::default()).await.unwrap();
        assert_eq!(backend.read_all(&path, &ReadOptions::default(), 100).await.unwrap(), name);
    }
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let listed = backend.list(&Path::root(), &options).await.unwrap().next_entries(100).await.unwrap();
    let mut names: Vec<_> = kept.iter().map(|name| format!("{name}/{name}")).collect();
    names.sort_unstable();
    assert_eq!(listed.iter().map(|entry| entry.path.as_str()).collect::<Vec<_>>(), names);
    for name in ["a.", "a./b", "...", "back\\slash", "\\", "tab\t"] {
        let path = Path::parse(name).unwrap();
        let refused = backend.write_all(&path, "x".into(), &WriteOptions::default()).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InvalidPath, "{name}");
    }
}

async fn metadata_is_kept(backend: Arc<dyn Backend>) {
    let path = Path::parse("object").unwrap();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let metadata =
        vec![pair("_z1", "3"), pair("alpha", "one"), pair("beta", "two = 2; \"quoted\", and blanks inside")];
    let options = WriteOptions { metadata: metadata.clone(), ..WriteOptions::default() };
    let info = backend.write_all(&path, "x".into(), &options).await.unwrap();
    assert_eq!(info.metadata, metadata);
    assert_eq!(backend.stat(&path).await.unwrap(), info);
    let listed =
        backend.list(&Path::root(), &ListOptions::default()).await.unwrap().next_entries(9).await.unwrap();
    assert_eq!(listed, [info]);
    let options = WriteOptions { metadata: vec![pair("x-y", "1")], ..WriteOptions::default() };
    let refused = backend.write_all(&path, "x".into(), &options).await.unwrap_err();
    assert!(refused.code() == ErrorCode::InvalidArgument && refused.message().contains("`x-y`"), "{refused}");
}
