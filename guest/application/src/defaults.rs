//! Options where nothing is said: what the vocabulary of the library has by default, so that there is one place that says so.

use omnistorage_types::wit::IntoWit;

use crate::{backend, bisync, compression, filters, multi, objects, records, sync, types};

omnistorage_types::mirror_types!(types);
omnistorage_types::mirror_backend!(backend);
omnistorage_types::mirror_filters!(filters);
omnistorage_types::mirror_objects!(compression, objects);
omnistorage_types::mirror_multi!(multi);
omnistorage_types::mirror_sync!(sync);
omnistorage_types::mirror_bisync!(bisync);
omnistorage_types::mirror_records!(records);
omnistorage_types::mirror_encoding!(records);

macro_rules! defaults {
    ($($wit:ty = $ours:ident),* $(,)?) => { $(
        impl Default for $wit {
            fn default() -> Self {
                omnistorage_types::$ours::default().into_wit()
            }
        }
    )* };
}

defaults! {
    types::ListOptions = ListOptions,
    types::ReadOptions = ReadOptions,
    types::WriteOptions = WriteOptions,
    compression::DecompressOptions = DecompressOptions,
    records::Encoding = Encoding,
    records::CsvDialect = CsvDialect,
    filters::Filter = Filter,
    sync::SyncOptions = SyncOptions,
    bisync::BisyncOptions = BisyncOptions,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_library() {
        assert_eq!(
            sync::SyncOptions::default().transfers,
            omnistorage_types::SyncOptions::default().transfers
        );
        assert!(matches!(types::WriteOptions::default().condition, types::WriteCondition::Always));
        assert_eq!(records::Encoding::default().max_record, None);
    }
}
