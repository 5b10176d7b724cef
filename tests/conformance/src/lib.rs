//! Holds a backend to what the interface promises.
//!
//! Each row of the suite is a function that takes a backend without any object and panics at the line of a promise
//! that is not kept. Rows about a feature that the backend does not claim hold it to the other half of the promise:
//! the call fails with `unsupported` and changes nothing.
//!
//! To run them all on a backend of your own, give [`conformance_tests!`] a function that makes an empty one, and what
//! must outlive it (a temporary directory, a server; `()` if there is nothing). One `#[test]` a row comes of it:
//!
//! ```
//! use std::sync::Arc;
//!
//! use omnistorage::{Backend, MemoryBackend};
//!
//! async fn my_backend() -> (Arc<dyn Backend>, ()) {
//!     (Arc::new(MemoryBackend::new()), ())
//! }
//!
//! omnistorage_conformance::conformance_tests!(my_backend);
//!
//! // Or one row alone:
//! fn main() {
//!     omnistorage_conformance::run(my_backend, omnistorage_conformance::write::overwriting_replaces_all);
//! }
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a row panics where a promise is not kept"
)]

pub mod attributes;
pub mod close;
pub mod concurrency;
pub mod conditions;
pub mod copy;
pub mod delete;
pub mod directories;
pub mod list;
pub mod names;
pub mod place;
pub mod read;
mod shorthand;
mod together;
pub mod unlisted;
pub mod write;

use std::sync::Arc;
#[cfg(not(target_family = "wasm"))]
use std::time::Duration;

use futures::future::BoxFuture;
use omnistorage::Backend;

/// No row takes longer, unless something hangs.
#[cfg(not(target_family = "wasm"))]
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// Runs one row on a backend that `make` has made. What it gives beside the backend is dropped after it.
#[cfg(not(target_family = "wasm"))]
pub fn run<Guard>(
    make: impl AsyncFnOnce() -> (Arc<dyn Backend>, Guard),
    row: impl AsyncFnOnce(Arc<dyn Backend>),
) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (backend, _guard) = make().await;
        tokio::time::timeout(TIME_LIMIT, row(Arc::clone(&backend))).await.unwrap();
        backend.close().await.unwrap();
    });
}

/// One `#[test]` a row, in a module a subject. Takes the function that makes an empty backend; see the [crate] for an
/// example. For what is no store but has the interface of one, the rows that it can keep may be named:
/// `conformance_tests!(my_backend, close { every_call_fails_after_the_close })`. What keeps a promise in its own way
/// brings all rows, some of them its own, in a module: `conformance_tests!(my_backend, rows)` with
///
/// ```
/// mod rows {
///     pub use omnistorage_conformance::*;
///     pub mod names {
///         pub use omnistorage_conformance::names::*;
///         pub async fn long_names_are_kept(backend: std::sync::Arc<dyn omnistorage::Backend>) {
///             drop(backend); // what is true instead
///         }
///     }
/// }
/// ```
#[macro_export]
macro_rules! conformance_tests {
    ($make:expr) => {
        $crate::every_row!(conformance_tests! $make);
    };
    ($make:expr, $rows:ident) => {
        $crate::every_row!(conformance_tests! $make, $rows);
    };
    ($make:expr, $rows:ident; $($subject:ident { $($row:ident)* })*) => {
        $(
            mod $subject {
                use super::*;
                $(
                    #[test]
                    fn $row() {
                        $crate::run($make, super::$rows::$subject::$row);
                    }
                )*
            }
        )*
    };
    ($make:expr, $($subject:ident { $($row:ident)* })*) => {
        $(
            mod $subject {
                #[allow(unused_imports)]
                use super::*;
                $(
                    #[test]
                    fn $row() {
                        $crate::run($make, $crate::$subject::$row);
                    }
                )*
            }
        )*
    };
}

/// Calls another macro with an expression, perhaps the module of the rows, and all rows after it:
/// `every_row!(conformance_tests! my_backend)`.
#[macro_export]
macro_rules! every_row {
    ($macro:ident! $argument:expr $(, $rows:ident)?) => {
        $crate::$macro! { $argument, $($rows;)?
            attributes {
                the_time_of_a_write_is_kept
                the_time_can_be_set
                an_overwrite_has_its_own_time
                the_content_type_is_kept
                metadata_is_kept
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
                printable_names_are_kept
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
    };
}

/// The rows about what a listing cannot list, one `#[test]` each. Takes a function that makes a backend in whose store
/// there are the objects `a`, `odd/a`, `odd/z` and `z`, and below `odd/` something that cannot be listed: a name that is
/// no path, or a directory that nobody may read.
#[macro_export]
macro_rules! conformance_tests_unlisted {
    ($make:expr) => {
        $crate::conformance_tests! { $make,
            unlisted {
                the_rest_is_listed
                a_failure_is_told_where_it_belongs
                one_level_tells_it_too
                elsewhere_nothing_fails
                the_strict_are_refused
                its_neighbours_are_in_use
            }
        }
    };
}

/// A row, to be run on a backend without any object. It panics where a promise is not kept.
pub type Row = fn(Arc<dyn Backend>) -> BoxFuture<'static, ()>;

#[doc(hidden)]
#[macro_export]
macro_rules! table {
    ($nothing:expr, $($subject:ident { $($row:ident)* })*) => {
        &[$($((
            concat!(stringify!($subject), "::", stringify!($row)),
            |backend| Box::pin($crate::$subject::$row(backend)),
        )),*),*]
    };
}

/// All rows by their names, as in `write::an_abort_leaves_nothing`.
pub const ROWS: &[(&str, Row)] = every_row!(table!());

#[cfg(test)]
mod tests {
    /// A row that nobody runs would keep no promise.
    #[test]
    fn every_row_is_in_the_macro() {
        let listed: Vec<_> = include_str!("lib.rs").split_whitespace().collect();
        for (subject, source) in [
            ("attributes", include_str!("attributes.rs")),
            ("close", include_str!("close.rs")),
            ("concurrency", include_str!("concurrency.rs")),
            ("conditions", include_str!("conditions.rs")),
            ("copy", include_str!("copy.rs")),
            ("delete", include_str!("delete.rs")),
            ("directories", include_str!("directories.rs")),
            ("list", include_str!("list.rs")),
            ("names", include_str!("names.rs")),
            ("place", include_str!("place.rs")),
            ("read", include_str!("read.rs")),
            ("unlisted", include_str!("unlisted.rs")),
            ("write", include_str!("write.rs")),
        ] {
            let rows =
                source.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
            assert!(rows.clone().count() > 0, "{subject} has no row");
            rows.for_each(|row| assert!(listed.contains(&row), "{subject}::{row} is not in the macro"));
        }
    }
}
