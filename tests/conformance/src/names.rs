//! Names: all that the path grammar takes is kept to the byte.

use std::sync::Arc;

use omnistorage::{Backend, ErrorCode, Path, backend::WriteOptions};

use crate::shorthand::{ONE_LEVEL, RECURSIVE, Shorthand, fails, path};

/// As a directory's name and as an object's, written, listed, read and deleted.
async fn round_trip(backend: &dyn Backend, name: &str) {
    let inside = format!("{name}-dir/{name}/{name}");
    backend.put(name, "beside").await.unwrap();
    backend.put(&inside, "inside").await.unwrap();
    let mut expected = vec![name.to_owned(), inside.clone()];
    expected.sort_unstable();
    assert_eq!(backend.objects("").await, expected);
    assert_eq!(backend.objects(&format!("{name}-dir/{name}")).await, [inside.as_str()]);
    assert!(backend.paths("", &ONE_LEVEL).await.contains(&name.to_owned()), "{name:?}");
    assert_eq!(backend.get(name).await.unwrap(), "beside", "{name:?}");
    assert_eq!(backend.get(&inside).await.unwrap(), "inside", "{name:?}");
    assert_eq!(backend.info(&inside).await.unwrap().path.as_str(), inside);
    if backend.capabilities().features.copy {
        backend.copy(name, &format!("{name} copy"), &Default::default()).await.unwrap();
        assert_eq!(backend.get(&format!("{name} copy")).await.unwrap(), "beside", "{name:?}");
    }
    for result in backend.delete(&[path(name), path(&inside), path(&format!("{name} copy"))]).await {
        result.unwrap();
    }
    assert_eq!(backend.objects("").await, [""; 0]);
}

/// Punctuation, blanks at the ends, dots, and what other layers take for an escape.
pub async fn printable_names_are_kept(backend: Arc<dyn Backend>) {
    for name in [
        " ",
        "  two before",
        "two after  ",
        "...",
        "..foo",
        "foo..",
        "a..b",
        ".hidden",
        "a.",
        "~",
        "~user",
        "-rf",
        "*",
        "?",
        "[a-z]",
        "{a,b}",
        "!important",
        "#fragment",
        "a?query=1&b=2",
        "a:b",
        "C:",
        "back\\slash",
        "\\",
        "'quotes\"`",
        "<a>|$@^()+=;,",
        "%",
        "%2F",
        "%2e%2e",
        "%Q",
        "100%25",
        "a+b",
        "_",
        "nul",
        "CON.txt",
    ] {
        round_trip(&*backend, name).await;
    }
}

/// Letters of all the world, and spellings that only look the same.
pub async fn unicode_names_are_kept(backend: Arc<dyn Backend>) {
    for name in
        ["é", "日本語", "😀", "👩‍🚀.txt", "\u{a0}", "\u{200b}", "\u{202e}", "\u{feff}bom", "ß", "\u{10ffff}"]
    {
        round_trip(&*backend, name).await;
    }
    let alike = ["A", "a", "e\u{301}", "\u{e9}", "ﬁ", "fi"];
    for name in alike {
        backend.put(name, name).await.unwrap();
    }
    assert_eq!(backend.objects("").await.len(), alike.len());
    for name in alike {
        assert_eq!(backend.get(name).await.unwrap(), name);
    }
}

/// Control characters: kept, or refused as a name that cannot be; never changed.
pub async fn control_characters_are_kept_or_refused(backend: Arc<dyn Backend>) {
    for char in ('\u{1}'..='\u{1f}').chain(['\u{7f}', '\u{85}', '\u{2028}']) {
        for name in [format!("{char}a"), format!("a{char}b"), format!("a{char}")] {
            match backend.put(&name, "x").await {
                Ok(_) => {
                    backend.remove(&name).await.unwrap();
                    round_trip(&*backend, &name).await;
                }
                Err(error) => {
                    assert_eq!(error.code(), ErrorCode::InvalidPath, "{error:?}");
                    assert_eq!(backend.objects("").await, [""; 0]);
                }
            }
        }
    }
}

/// An escaped slash is a name, and an other one than the slash.
pub async fn escapes_are_not_decoded(backend: Arc<dyn Backend>) {
    for name in ["a/b", "a%2Fb", "a%2fb", "a%252Fb"] {
        backend.put(name, name).await.unwrap();
    }
    assert_eq!(backend.objects("").await, ["a%252Fb", "a%2Fb", "a%2fb", "a/b"]);
    for name in ["a/b", "a%2Fb", "a%2fb", "a%252Fb"] {
        assert_eq!(backend.get(name).await.unwrap(), name);
    }
    assert_eq!(backend.objects("a").await, ["a/b"]);
}

/// A segment of 255 bytes, the most that file systems take, in characters of one byte and of several.
pub async fn long_names_are_kept(backend: Arc<dyn Backend>) {
    for name in ["x".repeat(255), "é".repeat(127) + "x", "😀".repeat(63) + "xyz"] {
        assert_eq!(name.len(), 255);
        let inside = format!("dir/{name}");
        backend.put_by_upload(&inside, "streamed", &WriteOptions::default()).await.unwrap();
        assert_eq!(backend.objects("").await, [inside.as_str()]);
        assert_eq!(backend.get(&inside).await.unwrap(), "streamed");
        backend.remove(&inside).await.unwrap();
    }
}

/// What is too long for the store is refused, and leaves nothing.
pub async fn names_too_long_are_refused(backend: Arc<dyn Backend>) {
    let long_segment = "x".repeat(Path::MAX_LEN);
    let deep = ["deep"; 800].join("/");
    for name in [long_segment, deep] {
        match backend.put(&name, "x").await {
            Ok(_) => {
                assert_eq!(backend.objects("").await, [name.as_str()]);
                assert_eq!(backend.get(&name).await.unwrap(), "x");
                backend.remove(&name).await.unwrap();
                if backend.capabilities().features.purge {
                    backend.purge(&Path::root()).await.unwrap();
                }
            }
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::InvalidPath, "{error:?}");
                assert!(backend.snapshot().await.is_empty());
                fails(
                    backend.put_by_upload(&name, "x", &WriteOptions::default()).await,
                    ErrorCode::InvalidPath,
                );
                assert!(backend.snapshot().await.is_empty());
            }
        }
    }
}

/// A tree of a hundred levels.
pub async fn deep_trees_are_kept(backend: Arc<dyn Backend>) {
    let deep = (0..100).map(|level| format!("{level}")).collect::<Vec<_>>().join("/");
    backend.put(&deep, "x").await.unwrap();
    assert_eq!(backend.objects("").await, [deep.as_str()]);
    assert_eq!(backend.objects("0/1/2").await, [deep.as_str()]);
    assert_eq!(backend.get(&deep).await.unwrap(), "x");
    if backend.capabilities().features.purge {
        assert_eq!(backend.purge(&path("0")).await.unwrap(), 1);
        assert_eq!(backend.paths("", &RECURSIVE).await, [""; 0]);
    }
}
