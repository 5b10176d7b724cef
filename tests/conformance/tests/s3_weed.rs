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
        only_the_version_that_was_seen_is_deleted
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
