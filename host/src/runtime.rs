//! The component in wasmtime, and the typed API to call it.
//!
//! A [`Runtime`] is the compiled component: make one and clone it. A [`Storage`] is what its sandboxes may touch:
//! backends by name, and limits. Each call of a `Storage` runs in a sandbox of its own, which ends with the call;
//! dropping the future, the stream or the job that a call gave cancels it, and leaves every backend as it was.
//!
//! ```
//! use std::sync::Arc;
//! use omnistorage::{MemoryBackend, Location, runtime::{Runtime, RuntimeOptions, Storage, SyncOptions}};
//!
//! # #[tokio::main]
//! # async fn main() -> omnistorage::Result<()> {
//! let runtime = Runtime::new(&RuntimeOptions::default())?;
//! let storage = Storage::builder(&runtime)
//!     .mount("here", Arc::new(MemoryBackend::new()))
//!     .mount("there", Arc::new(MemoryBackend::new()))
//!     .build();
//!
//! let note = Location::new("here", "notes/today.txt")?;
//! storage.write_all(&note, "hello".into(), &Default::default()).await?;
//!
//! let (here, there) = (Location::new("here", "notes")?, Location::new("there", "backup")?);
//! let report = storage.sync(&here, &there, &SyncOptions::default()).await?.outcome().await?;
//! assert_eq!((report.transferred, report.bytes), (1, 5));
//! # Ok(())
//! # }
//! ```

mod activity;
mod binary;
mod bindings;
mod bisync;
mod budget;
mod by_value;
mod call;
mod chunk;
mod common;
mod compile;
#[cfg(unix)]
mod compiled;
mod compression;
mod convert;
mod epoch;
mod explain;
mod failure;
mod growth;
mod host;
mod job;
mod limits;
mod multi;
mod objects;
mod open;
mod plan;
mod policy;
mod preflight;
#[cfg(unix)]
mod private;
mod receive;
mod records;
mod room;
mod sandbox;
mod share;
#[cfg(unix)]
mod shipped;
mod space;
mod storage;
mod stream;
mod sync;
mod under_way;
mod view;
mod wasi;
mod weight;
mod worker;

use std::{path::PathBuf, sync::Arc};

use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
    component::{Component, Linker},
};

pub use activity::Activity;
pub use bisync::BisyncJob;
pub use epoch::watch;
pub use job::Job;
pub use limits::Limits;
pub use objects::{ObjectReader, ObjectWriter};
pub use omnistorage_types::{
    Action, Backup, BisyncAction, BisyncEvent, BisyncOptions, BisyncReport, BisyncSide, CheckEntry,
    CheckReport, Codec, Comparison, Compression, ConvertReport, CountReport, CsvDialect, DecompressOptions,
    DeleteLimit, Deletion, Dictionary, Difference, Encoding, Event, Explanation, Filter, Form, Format,
    LengthPrefix, LineEnd, MemoTrouble, Mode, Order, OrderKey, Outcome, Punctuation, Recoding,
    RenameStrategy, Report, RuleKind, RuleSource, Stop, SyncOptions, TargetResult, TeeError, Validation,
    Winner,
};
pub use open::{OpenBackend, OpenListing};
pub use policy::Policy;
pub use preflight::{Missing, missing_imports};
pub use records::{RecordBatch, RecordReader, RecordSink, RecordWriter};
#[cfg(unix)]
pub use shipped::precompile;
pub use storage::{Entries, Storage, StorageBuilder};
pub use sync::{CheckJob, SyncJob};
pub use under_way::UnderWay;
pub use view::{StorageCtx, StorageCtxView, StorageView, add_to_linker, limit_store, limit_time};

use self::binary::Binary;
use crate::{Error, ErrorCode, Result};

/// The component as it ships: portable, compiled on first use.
pub const COMPONENT: &[u8] = include_bytes!(env!("OMNISTORAGE_COMPONENT_WASM"));

/// How to make a [`Runtime`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuntimeOptions {
    /// Keep the compiled component, so that the next process starts at once: in `omnistorage` below `$XDG_CACHE_HOME`,
    /// or else below `~/.cache`, which must belong to this user. This directory and every directory above it must be
    /// writable by nobody but this user and the administrator; otherwise, as in another user's home, the component is
    /// compiled again. Outside Unix, wasmtime's own cache is used. Default: yes.
    pub cache: bool,
    /// A directory with the compiled component, as [`precompile`] writes it when a package is made: what is there is
    /// neither compiled nor cached. It must belong to this user or the administrator, and nobody else may be able to write
    /// to it or to the directories above it; what cannot be trusted, is for other processors or another version, is as if
    /// it were not there. On Unix only. Default: none.
    pub compiled: Option<PathBuf>,
    /// How many sandboxes may run at once; a call that needs one more waits for another to end. An open reader or
    /// writer holds its sandbox. Address space for all of them, not memory, is reserved up front, so that one starts
    /// quickly; where that much cannot be reserved, each sandbox reserves its own. Default 256.
    pub sandboxes: u32,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self { cache: true, compiled: None, sandboxes: 256 }
    }
}

/// The compiled component, ready to be put into sandboxes. Cheap to clone.
#[derive(Clone)]
pub struct Runtime(Arc<sandbox::Template>);

impl Runtime {
    /// Compiles the component, or takes it from the cache.
    ///
    /// # Errors
    /// [`ErrorCode::Other`] if this machine cannot run it; [`ErrorCode::LimitExceeded`] if this process may not have as
    /// much address space (`ulimit -v`), or as many threads (`ulimit -u`), as that takes.
    pub fn new(options: &RuntimeOptions) -> Result<Self> {
        Self::load(options, &Binary::shipped())
    }

    /// The same for a component that you built yourself for the world `omnistorage`, in its binary form.
    ///
    /// # Errors
    /// As [`Runtime::new`]; [`ErrorCode::Other`] if the bytes are no such component.
    pub fn with_component(options: &RuntimeOptions, bytes: &[u8]) -> Result<Self> {
        Self::load(options, &Binary::given(bytes))
    }

    fn load(options: &RuntimeOptions, binary: &Binary<'_>) -> Result<Self> {
        let failed = |error: wasmtime::Error| {
            Error::new(ErrorCode::Other, format!("the component cannot be loaded: {error:#}"))
        };
        let load = |config: &Config| {
            let engine = Engine::new(config)?;
            let component = compiled(&engine, binary, options)?;
            Ok((engine, component))
        };
        space::check()?;
        // There may be too little address space for the pool, or the component may have more parts than a slot holds.
        let (engine, component) = load(&pooled(config(options), options.sandboxes))
            .or_else(|_| load(&space::sparing(config(options))))
            .map_err(failed)?;
        let mut linker = Linker::new(&engine);
        wasi::add_to_linker(&mut linker).map_err(failed)?;
        add_to_linker(&mut linker).map_err(failed)?;
        let template = sandbox::Template::new(&linker, &component, options.sandboxes).map_err(failed)?;
        watch(&engine)?;
        Ok(Self(Arc::new(template)))
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Runtime")
    }
}

/// The component, taken from a package or the cache, or else compiled now.
fn compiled(engine: &Engine, binary: &Binary<'_>, options: &RuntimeOptions) -> wasmtime::Result<Component> {
    #[cfg(unix)]
    {
        let shipped = options.compiled.as_deref();
        if let Some(component) = shipped.and_then(|directory| shipped::load(engine, binary, directory)) {
            return Ok(component);
        }
        if options.cache
            && let Some(compiled) = compiled::Compiled::of_user()
        {
            return compiled.load(engine, binary);
        }
    }
    // Elsewhere there is the cache of wasmtime.
    #[cfg(not(unix))]
    let _ = (options, &binary.digest);
    compile::compile(engine, binary.bytes)
}

/// What the pool sets aside for each component. One consists of several core modules: the program, and small ones that
/// connect its imports. No component gets more, so that every sandbox has its share.
const INSTANCES: u32 = 8;
const MEMORIES: u32 = 2;
const TABLES: u32 = 8;

/// An engine with the limits that every sandbox lives under switched on.
fn config(options: &RuntimeOptions) -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    #[cfg(not(unix))]
    if options.cache {
        // Without a home directory there is no cache, and the component still runs.
        config.cache(wasmtime::Cache::new(wasmtime::CacheConfig::new()).ok());
    }
    #[cfg(unix)]
    let _ = options;
    config
}

/// The same, with room for that many sandboxes reserved up front. Measured: a sandbox and its first call take 74 us
/// instead of 117; reserving costs about 20 us a sandbox, once.
fn pooled(mut config: Config, sandboxes: u32) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(sandboxes)
        .total_core_instances(sandboxes.saturating_mul(INSTANCES))
        .max_core_instances_per_component(INSTANCES)
        .total_memories(sandboxes.saturating_mul(MEMORIES))
        .max_memories_per_component(MEMORIES)
        .total_tables(sandboxes.saturating_mul(TABLES))
        .max_tables_per_component(TABLES)
        .total_stacks(sandboxes.saturating_mul(4))
        .table_elements(limits::TABLE_ELEMENTS);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}
