//! Listings are in byte order, at any width and depth.

use super::*;

#[tokio::test]
async fn listings_are_in_byte_order_from_anywhere() {
    let (_directory, backend) = backend();
    for at in ["a/x", "a/b/c", "a-b", "a.txt", "a0", "b/a/a", "é"] {
        put(&backend, at, at).await.unwrap();
    }
    backend.mkdir(&path("b/empty")).await.unwrap();
    let all = ["a", "a-b", "a.txt", "a/b", "a/b/c", "a/x", "a0", "b", "b/a", "b/a/a", "b/empty", "é"];
    assert_eq!(list(&backend).await.unwrap(), all);
    assert!(all.is_sorted());
    for after in all.iter().copied().chain(["A", "a/", "a/a", "a/b/d", "a1", "b/a/zz/z", "b0", "ê"]) {
        // `a/` and the like are no paths, but what sorts there is.
        let Ok(start) = Path::parse(after) else { continue };
        for prefix in ["", "a", "b/a", "missing", "a0"] {
            let options = ListOptions { recursive: true, start_after: Some(start.clone()), full_info: false };
            let listed = list_with(&backend, prefix, options, 2).await.unwrap();
            let below = |entry: &&str| path(entry).starts_with(&path(prefix)) && *entry != prefix;
            let expected: Vec<_> =
                all.iter().copied().filter(|entry| below(entry) && *entry > after).collect();
            let listed: Vec<_> = listed.iter().map(|entry| entry.path.as_str()).collect();
            assert_eq!(listed, expected, "{prefix} after {after}");
        }
    }
    let one_level = list_with(&backend, "", ListOptions::default(), 100).await.unwrap();
    let one_level: Vec<_> = one_level.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(one_level, ["a", "a-b", "a.txt", "a0", "b", "é"]);
}

#[tokio::test]
async fn many_names_in_one_directory() {
    const COUNT: usize = 1_200;
    let (directory, backend) = backend();
    for number in 0..COUNT {
        fs::File::create(directory.path().join(format!("{:04}", number * 7919 % COUNT))).unwrap();
    }
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let entries = list_with(&backend, "", options, 999).await.unwrap();
    assert_eq!(entries.len(), COUNT);
    assert!(entries.iter().enumerate().all(|(number, entry)| entry.path.as_str() == format!("{number:04}")));
}

#[tokio::test]
async fn deep_trees_take_few_descriptors() {
    let (directory, backend) = backend();
    let deep = vec!["d"; 200].join("/");
    put(&backend, &format!("{deep}/x"), "deep").await.unwrap();
    put(&backend, "d/d/z", "").await.unwrap();
    let listed = list(&backend).await.unwrap();
    assert_eq!(listed.len(), 202);
    assert!(listed.is_sorted());
    assert_eq!(listed[200..], [format!("{deep}/x"), "d/d/z".to_owned()]);
    assert_eq!(backend.purge(&path("d")).await.unwrap(), 2);
    assert!(on_disk(directory.path()).is_empty());
}
