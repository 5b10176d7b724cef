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

// Without `metadata_is_kept` and `printable_names_are_kept`: below is what is kept instead.
omnistorage_conformance::conformance_tests! { on_azurite,
    attributes {
        the_time_of_a_write_is_kept
        the_time_can_be_set
        an_overwrite_has_its_own_time
        the_content_type_is_kept
        odd_metadata_is_kept_or_refused
        keys_are_unique
    }
    close {
        every_call_fails_after_the_close
        no_upload_outlives_the_close
        no_listing_outlives_the_close
    }
    concurrency {
        racing_writers_never_mix
        readers_see_whole_objects
        writers_share_new_directories
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
        directories_stay
        attributes_come_along
        options_go_before_attributes
        the_source_must_be_as_expected
        one_failure_stops_no_other
        another_backend_gets_all_or_nothing
    }
    delete {
        deleting_twice_is_fine
        deleting_what_is_missing_is_fine
        neighbours_stay
        results_stand_in_order
        many_objects_are_deleted
        only_the_version_that_was_seen_is_deleted
        a_directory_is_not_deleted
        a_purge_takes_all_below
        a_purge_needs_a_prefix
        the_root_can_be_purged
    }
    directories {
        an_empty_directory_exists
        a_directory_is_made_twice
        no_directory_replaces_an_object
        an_empty_directory_is_removed
        the_root_is_not_removed
        a_directory_outlives_its_objects
        a_purge_takes_directories
    }
    list {
        an_empty_backend_lists_nothing
        a_prefix_is_whole_segments
        the_order_is_that_of_bytes
        directories_are_entries
        a_listing_starts_after_any_path
        a_listing_ends_at_any_path
        a_listing_has_two_ends
        a_listing_keeps_to_its_limit
        many_objects_are_listed_whole
        a_missing_prefix_lists_nothing
        the_prefix_is_no_entry
        batches_keep_to_their_size
        entries_tell_what_stat_tells
        a_listing_may_be_dropped
        a_listing_survives_deletes
    }
    names {
        unicode_names_are_kept
        control_characters_are_kept_or_refused
        escapes_are_not_decoded
        long_names_are_kept
        names_too_long_are_refused
        deep_trees_are_kept
    }
    place {
        the_root_is_not_written
        directories_above_are_made
        a_path_through_an_object_is_refused
        a_directory_is_not_overwritten
        a_commit_looks_again_at_its_place
    }
    read {
        what_is_written_is_read
        an_empty_object_is_an_object
        what_is_missing_is_not_found
        nothing_is_below_an_object
        the_root_is_a_directory
        a_directory_is_not_read
        ranges_are_clamped
        ranges_start_and_end_anywhere
        read_all_keeps_its_limit
        a_reader_knows_its_object
        a_reader_may_be_dropped
        a_read_may_ask_for_a_version
        hashes_are_true
        many_hashes_stand_in_order
    }
    write {
        overwriting_replaces_all
        a_write_tells_what_stat_tells
        chunks_of_any_size_are_joined
        an_upload_may_be_empty
        nothing_is_visible_before_the_commit
        an_abort_leaves_nothing
        a_drop_leaves_nothing
        what_was_announced_must_come
        a_reader_never_sees_a_mixture
    }
}

#[tokio::test]
async fn names_are_kept_or_refused() {
    let (backend, ()) = on_azurite().await;
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

#[tokio::test]
async fn metadata_is_kept_or_refused() {
    let (backend, ()) = on_azurite().await;
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
