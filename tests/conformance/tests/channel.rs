//! The channel backend keeps those promises that are not about keeping: what is read is gone, and a second write comes
//! behind the first.

use std::{num::NonZeroUsize, sync::Arc};

use omnistorage::{Backend, ChannelBackend, backend::channel::ChannelOptions};

mod once {
    use super::*;

    async fn channel() -> (Arc<dyn Backend>, ()) {
        (Arc::new(ChannelBackend::default()), ())
    }

    omnistorage_conformance::conformance_tests!(channel,
        close {
            every_call_fails_after_the_close
            no_upload_outlives_the_close
            no_listing_outlives_the_close
        }
        delete {
            deleting_twice_is_fine
            deleting_what_is_missing_is_fine
            neighbours_stay
            results_stand_in_order
            many_objects_are_deleted
            a_directory_is_not_deleted
        }
        directories {
            the_root_is_not_removed
        }
        list {
            an_empty_backend_lists_nothing
            a_prefix_is_whole_segments
            the_order_is_that_of_bytes
            a_listing_starts_after_any_path
            many_objects_are_listed_whole
            a_missing_prefix_lists_nothing
            the_prefix_is_no_entry
            batches_keep_to_their_size
            a_listing_may_be_dropped
            a_listing_survives_deletes
        }
        place {
            directories_above_are_made
        }
        read {
            what_is_missing_is_not_found
            nothing_is_below_an_object
            the_root_is_a_directory
        }
    );
}

/// Messages that are kept can be looked at again: nothing has changed after a call that is not supported.
mod replay {
    use super::*;

    async fn channel() -> (Arc<dyn Backend>, ()) {
        let capacity = NonZeroUsize::MAX;
        (Arc::new(ChannelBackend::new(ChannelOptions { capacity, replay: true, ..Default::default() })), ())
    }

    omnistorage_conformance::conformance_tests!(channel,
        attributes {
            the_time_of_a_write_is_kept
            the_time_can_be_set
            the_content_type_is_kept
            metadata_is_kept
        }
        close {
            every_call_fails_after_the_close
        }
        conditions {
            if_absent_creates_once
            if_match_replaces_what_was_seen
        }
        copy {
            all_bytes_arrive
            another_backend_gets_all_or_nothing
        }
        delete {
            a_purge_takes_all_below
        }
        directories {
            an_empty_directory_exists
            an_empty_directory_is_removed
        }
        read {
            a_directory_is_not_read
            ranges_are_clamped
        }
    );
}
