//! One run over ranges of its paths: as many at once as there are, and the result is that of one run.
//!
//! A place is cut at paths that stand there. Each range is a job of the component in a sandbox of its own, and none of them
//! deletes. When all are done their reports are added up, and the component judges the sum by the guards of one run. Only
//! then the ranges that have something extra run once more, and delete; and last come the directories that a border parts
//! from what is in them. Nothing here decides about objects.
//!
//! [`transfer`] and [`check`] do all of it in this process. The module `cluster`, if there is one, takes the same steps with
//! workers on many machines.
//!
//! ```
//! use std::sync::Arc;
//! use omnistorage::{Location, MemoryBackend, ranges::{Transfer, transfer}};
//! use omnistorage::runtime::{Runtime, RuntimeOptions, Storage, SyncOptions};
//!
//! # #[tokio::main]
//! # async fn main() -> omnistorage::Result<()> {
//! let storage = Storage::builder(&Runtime::new(&RuntimeOptions::default())?)
//!     .mount("here", Arc::new(MemoryBackend::new()))
//!     .mount("there", Arc::new(MemoryBackend::new()))
//!     .build();
//! for name in ["a", "b", "c", "d"] {
//!     storage.write_all(&Location::new("here", name)?, "hello".into(), &Default::default()).await?;
//! }
//! let sides = [Location::new("here", "")?, Location::new("there", "")?];
//! let report = transfer(&storage, Transfer::Sync, &sides, &SyncOptions::default(), 4).await?.outcome().await?;
//! assert_eq!(report.transferred, 4);
//! # Ok(())
//! # }
//! ```

mod at_once;
mod counts;
mod course;
mod directories;
mod extra;
mod operation;
mod pass;
mod reach;
mod refused;
mod shares;
mod sum;
mod tidy;
mod tiles;
mod told;

pub use self::{
    at_once::{check, transfer},
    operation::{Operation, Transfer},
    refused::Unsplittable,
};
#[cfg(feature = "cluster")]
pub(crate) use self::{
    counts::{Counted, Counts},
    course::{Course, Stage},
    extra::{Extra, waves},
    pass::Pass,
    reach::Reach,
    refused::Among,
    shares::{Given, Shares},
    sum::Done,
    tidy::{Follow, tidy},
    tiles::{Tiles, are_flat, require_sorted},
    told::is_held_back,
};
