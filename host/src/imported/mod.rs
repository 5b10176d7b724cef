//! The same typed API where there is no wasmtime: in a component, which imports the library and its storage, and is composed
//! with them. Which backends there are, whoever composes it decides, and its host.

mod activity;
mod job;
mod one_place;
mod records;
mod storage;
mod stream;

pub use omnistorage_types::{
    Action, Backup, BisyncAction, BisyncEvent, BisyncOptions, BisyncReport, BisyncSide, CheckEntry,
    CheckReport, Codec, Comparison, Compression, ConvertReport, CountReport, CsvDialect, DecompressOptions,
    DeleteLimit, Deletion, Dictionary, Difference, Encoding, Event, Explanation, Filter, Form, Format,
    LengthPrefix, LineEnd, MemoTrouble, Mode, Order, OrderKey, Outcome, Punctuation, Recoding,
    RenameStrategy, Report, RuleKind, RuleSource, Stop, SyncOptions, TargetResult, TeeError, Validation,
    Winner,
};

pub(crate) use self::one_place::name;
pub use self::{
    activity::Activity,
    job::{BisyncJob, CheckJob, Job, SyncJob},
    records::{RecordBatch, RecordReader},
    storage::{Entries, Storage},
};
