//! Renames and backups.

use omnistorage::runtime::{Backup, RenameStrategy, SyncOptions};

use super::pairs::{T1, T2, T3, each, options};
use crate::setup::at;

#[tokio::test]
async fn test_sync_with_track_renames() {
    each(async |pair| {
        pair.both("potato", "potato contents", T1).await;
        pair.both("yam", "yam contents", T2).await;
        pair.remove("yam").await;
        pair.from("d/yaml", "yam contents", T2).await;
        let by_hash = RenameStrategy { hash: true, ..RenameStrategy::default() };
        let ran = pair.sync(&SyncOptions { track_renames: by_hash, ..options() }).await.unwrap();
        assert_eq!(
            (ran.report.renamed, ran.report.transferred, ran.report.deleted),
            (1, 0, 0),
            "{}",
            pair.name
        );
        pair.has(&[("d/yaml", "yam contents"), ("potato", "potato contents")]).await;
        pair.is_dated("d/yaml", T2).await;
    })
    .await;
}

/// Neither contents, nor time, nor name agree: it is sent and deleted.
#[tokio::test]
async fn test_sync_with_track_renames_of_something_else() {
    each(async |pair| {
        pair.both("kept", "1", T1).await;
        pair.from("new", "abc", T2).await;
        pair.to("old", "xyz", T2).await;
        let by_hash = RenameStrategy { hash: true, ..RenameStrategy::default() };
        let ran = pair.sync(&SyncOptions { track_renames: by_hash, ..options() }).await.unwrap();
        assert_eq!(
            (ran.report.renamed, ran.report.transferred, ran.report.deleted),
            (0, 1, 1),
            "{}",
            pair.name
        );
    })
    .await;
}

#[tokio::test]
async fn test_sync_backup_dir_and_suffix() {
    each(async |pair| {
        for (round, (suffix, keep_extension, kept)) in [
            ("", false, ["d/three.txt", "one", "two"]),
            (".bak", false, ["d/three.txt.bak", "one.bak", "two.bak"]),
            ("-2019", true, ["d/three-2019.txt", "one-2019", "two-2019"]),
        ]
        .into_iter()
        .enumerate()
        {
            let place = format!("backup{round}");
            for path in ["one", "two", "d/three.txt"] {
                pair.to(path, &format!("old {path}"), T1).await;
            }
            pair.from("one", "new one", T2).await;
            pair.from("unrelated", "1", T1).await;
            let backup =
                Backup { place: Some(at("target", &place)), suffix: suffix.to_owned(), keep_extension };
            let options = SyncOptions { backup: Some(backup), ..pair.by_time() };
            let ran = pair.sync(&options).await.unwrap();
            assert_eq!((ran.report.deleted, ran.report.errors), (2, 0), "{}", pair.name);
            let all = crate::setup::tree(&*pair.target).await;
            let there: Vec<_> =
                all.iter().filter_map(|(path, _)| path.strip_prefix(&format!("{place}/"))).collect();
            assert_eq!(there, kept, "{}", pair.name);
            // The next run keeps its own, over what is there.
            pair.to("two", "old again", T3).await;
            pair.sync(&options).await.unwrap();
            let all = crate::setup::tree(&*pair.target).await;
            let (_, two) = all.iter().find(|(path, _)| *path == format!("{place}/{}", kept[2])).unwrap();
            assert_eq!(two, "old again", "{}", pair.name);
        }
    })
    .await;
}

#[tokio::test]
async fn test_sync_suffix_only() {
    each(async |pair| {
        pair.both("one", "old one", T1).await;
        pair.to("two", "old two", T1).await;
        pair.from("one", "new one!", T2).await;
        let backup = Backup { place: None, suffix: ".bak".to_owned(), keep_extension: false };
        let options = SyncOptions { backup: Some(backup), ..options() };
        pair.sync(&options).await.unwrap();
        let now = [("one", "new one!"), ("one.bak", "old one"), ("two.bak", "old two")];
        pair.has(&now).await;
        // What was kept is not extra.
        pair.sync(&options).await.unwrap();
        pair.has(&now).await;
    })
    .await;
}
