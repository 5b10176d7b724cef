//! The S3 backend keeps its promises on SeaweedFS.

use std::sync::Arc;

use omnistorage::{Backend, S3Backend};

#[allow(clippy::unwrap_used, reason = "without a backend there is nothing to test")]
async fn weed() -> (Arc<dyn Backend>, ()) {
    // It lists directory by directory.
    let config = omnistorage_test_servers::weed().config().with("sorted_list", "false");
    (Arc::new(S3Backend::from_config(config).unwrap()), ())
}

// Not all rows: this server takes a backslash for a slash.
omnistorage_conformance::conformance_tests!(weed,
    attributes {
        the_time_of_a_write_is_kept
        the_time_can_be_set
        an_overwrite_has_its_own_time
        the_content_type_is_kept
        metadata_is_kept
        odd_metadata_is_kept_or_refused
    }
    concurrency {
        racing_writers_never_mix
        readers_see_whole_objects
        one_creator_wins
        compare_and_swap_loses_no_update
        deleters_share_objects
    }
    conditions {
        if_absent_creates_once
        if_match_replaces_what_was_seen
        conditions_hold_at_the_commit
        copies_keep_conditions
    }
    copy {
        all_bytes_arrive
        onto_itself_nothing_changes
        without_a_source_the_target_stays
        attributes_come_along
        options_go_before_attributes
        the_source_must_be_as_expected
        one_failure_stops_no_other
    }
    delete {
        deleting_twice_is_fine
        results_stand_in_order
        many_objects_are_deleted
        a_purge_takes_all_below
        a_purge_needs_a_prefix
    }
    list {
        a_prefix_is_whole_segments
        the_order_is_that_of_bytes
        directories_are_entries
        a_listing_starts_after_any_path
        many_objects_are_listed_whole
        a_missing_prefix_lists_nothing
        entries_tell_what_stat_tells
        a_listing_survives_deletes
    }
    names {
        unicode_names_are_kept
        control_characters_are_kept_or_refused
        escapes_are_not_decoded
        long_names_are_kept
        names_too_long_are_refused
    }
    read {
        what_is_written_is_read
        an_empty_object_is_an_object
        what_is_missing_is_not_found
        ranges_are_clamped
        ranges_start_and_end_anywhere
        a_read_may_ask_for_a_version
        hashes_are_true
    }
    write {
        overwriting_replaces_all
        a_write_tells_what_stat_tells
        chunks_of_any_size_are_joined
        nothing_is_visible_before_the_commit
        an_abort_leaves_nothing
        a_drop_leaves_nothing
        what_was_announced_must_come
        a_reader_never_sees_a_mixture
    }
);

/// What only an object store has.
mod store {
    #![allow(clippy::unwrap_used, reason = "a test fails where something is not as it must be")]

    use std::{process::Command, time::Duration};

    use bytes::Bytes;
    use omnistorage::{
        Backend, Config, ErrorCode, Path, S3Backend, Timestamp,
        backend::{ListOptions, ReadOptions, WriteOptions},
    };
    use omnistorage_test_servers::{ACCESS_KEY, BUCKET, SECRET_KEY, rclone, weed};

    const PART: usize = 5 << 20;
    const LONG_AGO: Timestamp = Timestamp { seconds: 1_000_000_000, nanoseconds: 123_456_789 };

    fn backend(config: Config) -> S3Backend {
        S3Backend::from_config(config.with("part_size", PART.to_string())).unwrap()
    }

    fn path(path: &str) -> Path {
        Path::parse(path).unwrap()
    }

    fn kept() -> WriteOptions {
        WriteOptions {
            content_type: Some("text/css".to_owned()),
            modified: Some(LONG_AGO),
            metadata: vec![("key".to_owned(), "value".to_owned())],
            ..WriteOptions::default()
        }
    }

    #[tokio::test]
    async fn parts_join_at_their_boundaries() {
        let backend = backend(weed().config());
        for len in [PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 3] {
            let contents: Bytes = (0..len).map(|at| (at % 251) as u8).collect();
            let mut upload = backend.write(&path("large"), &kept()).await.unwrap();
            for chunk in contents.chunks(700_001) {
                upload.push(contents.slice_ref(chunk)).await.unwrap();
            }
            let info = upload.commit().await.unwrap();
            assert_eq!(backend.stat(&path("large")).await.unwrap(), info, "{len}");
            assert_eq!((info.size, info.modified), (Some(len as u64), Some(LONG_AGO)));
            assert!(
                backend.read_all(&path("large"), &ReadOptions::default(), len).await.unwrap() == contents
            );
            let copy =
                backend.copy_to(&path("large"), &backend, &path("copy"), &WriteOptions::default()).await;
            let copy = copy.unwrap();
            assert_eq!((copy.metadata, copy.content_type), (info.metadata, info.content_type), "{len}");
        }
        assert_eq!(backend.sweep(Duration::ZERO).await.unwrap(), 0, "an upload was left open");
    }

    #[tokio::test]
    async fn an_upload_that_is_given_up_leaves_no_parts() {
        let backend = backend(weed().config());
        let begin = async || {
            let mut upload = backend.write(&path("large"), &kept()).await.unwrap();
            upload.push(Bytes::from(vec![1; 2 * PART + 1])).await.unwrap();
            upload
        };
        begin().await.abort().await;
        assert_eq!(backend.sweep(Duration::ZERO).await.unwrap(), 0, "after an abort");
        // As a program that is killed.
        std::mem::forget(begin().await);
        assert_eq!(backend.sweep(Duration::from_secs(3600)).await.unwrap(), 0, "it is too young");
        assert_eq!(backend.sweep(Duration::ZERO).await.unwrap(), 1);
        assert_eq!(backend.sweep(Duration::ZERO).await.unwrap(), 0);
        assert!(!backend.exists(&path("large")).await.unwrap());
    }

    #[tokio::test]
    async fn refusals_say_what_to_do() {
        let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for (config, code, word) in [
            (weed().config().with("secret_access_key", "canary"), ErrorCode::PermissionDenied, "secret"),
            (weed().config().with("access_key_id", "AKother"), ErrorCode::PermissionDenied, "access key"),
            (
                weed().config().with("bucket", "no-such-bucket"),
                ErrorCode::NotFound,
                "bucket `no-such-bucket`",
            ),
            (
                weed().config().with("endpoint", format!("http://{unused}")),
                ErrorCode::Unavailable,
                "cannot reach",
            ),
        ] {
            let backend = backend(config);
            let mut listing = backend.list(&Path::root(), &ListOptions::default()).await.unwrap();
            let error = listing.next(1).await.unwrap_err();
            assert_eq!(error.code(), code, "{error}");
            assert!(error.message().contains(word), "{error}");
            assert!(!format!("{error:?} {backend:?}").contains("canary"));
        }
    }

    #[tokio::test]
    async fn rclone_knows_the_times_that_we_keep_and_we_know_its_own() {
        let backend = backend(weed().config_below("with-rclone"));
        backend.write_all(&path("ours"), "ours".into(), &kept()).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("theirs");
        std::fs::write(&file, "theirs").unwrap();
        let time = std::time::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789);
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();

        let remote = format!(":s3:{BUCKET}/with-rclone");
        let run = |arguments: &[&str]| {
            let mut command = Command::new(rclone());
            command.args(arguments).args(["--config", "/dev/null", "--s3-provider", "Other"]);
            command.args(["--s3-endpoint", &weed().endpoint, "--s3-region", "us-east-1"]);
            command.args(["--s3-access-key-id", ACCESS_KEY, "--s3-secret-access-key", SECRET_KEY]);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        let listed = run(&["lsjson", "--metadata", &remote]);
        assert!(listed.contains("2001-09-09T01:46:40.123456789Z"), "{listed}");
        assert!(listed.contains("text/css"), "{listed}");
        run(&["copyto", file.to_str().unwrap(), &format!("{remote}/theirs")]);
        assert_eq!(backend.stat(&path("theirs")).await.unwrap().modified, Some(LONG_AGO));
    }
}
