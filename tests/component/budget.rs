//! Each limit bites, and a component that takes all it can get leaves the others theirs.

use std::{
    process::Command,
    sync::{Arc, LazyLock},
    time::Duration,
};

use omnistorage::{
    Backend, ChannelBackend, ErrorCode, FileBackend, MemoryBackend, Path, Registry,
    backend::{ReadOptions, file::FileOptions},
    runtime::{Limits, Policy, Runtime, RuntimeOptions, Storage, StorageCtx, StorageCtxView, StorageView},
};
use wasmtime::{
    Config, Engine, Store,
    component::{Component, Linker, ResourceTable, Val},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::{
    build::build,
    guest::{misbehaving, misbehaving_runtime},
    setup::{at, memory, put, storage, two_memories},
};

/// Long, for a test that hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A directory with an object `big`, of so many bytes and none on the disk.
fn directory(big: u64) -> (tempfile::TempDir, Arc<dyn Backend>) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::File::create(directory.path().join("big")).unwrap().set_len(big).unwrap();
    let backend = FileBackend::open(directory.path(), FileOptions::default()).unwrap();
    (directory, Arc::new(backend))
}

/// What the misbehaving component is told by its host, at a backend with an object of 64 MiB.
async fn refusal(path: &str, limits: Limits) -> omnistorage::Error {
    let (_directory, backend) = directory(64 << 20);
    let storage = misbehaving(backend, limits);
    let place = at("here", path);
    tokio::time::timeout(PATIENCE, storage.stat(&place)).await.unwrap().unwrap_err()
}

#[tokio::test]
async fn every_limit_bites_and_says_how_it_is_raised() {
    let default = Limits::default;
    let small = || Limits { memory: 24 << 20, ..Limits::default() };
    let few = || Limits { resources: 20, ..Limits::default() };
    for (path, limits, raise) in [
        ("hoard/memory", small(), "`Limits::memory`"),
        ("hoard/values/x", small(), "`Limits::memory`"),
        ("hoard/wholes", small(), "`Limits::memory`"),
        ("hoard/reads", small(), "`Limits::memory`"),
        ("hoard/paths", small(), "`Limits::memory`"),
        ("read-all", Limits { hostcall_bytes: 1 << 20, ..default() }, "`Limits::hostcall_bytes`"),
        ("long-path", default(), "`Limits::hostcall_bytes`"),
        ("items/delete", default(), "`Limits::items`"),
        ("items/hash-many", default(), "`Limits::items`"),
        ("items/copy-many", default(), "`Limits::items`"),
        ("hoard/backends", few(), "`Limits::resources`"),
        ("hoard/reads", few(), "`Limits::resources`"),
        ("hoard/listings", few(), "`Limits::resources`"),
        ("hoard/writes/x", few(), "`Limits::resources`"),
        ("hoard/handles", Limits { handles: 1000, ..default() }, "`Limits::handles`"),
    ] {
        let path = if path == "read-all" { "read-all/big" } else { path };
        let error = match path {
            "read-all/big" => read_all(limits).await,
            path => refusal(path, limits).await,
        };
        assert_eq!(error.code(), ErrorCode::LimitExceeded, "{path}: {error}");
        assert!(error.message().contains(raise), "{path}: {error}");
    }
}

#[tokio::test]
async fn what_is_kept_in_memory_has_its_bounds() {
    // A component pays for what it opens for itself.
    let mut kinds = Registry::new();
    kinds.register("memory", |config| Ok(Arc::new(MemoryBackend::from_config(config)?))).unwrap();
    kinds.register("channel", |config| Ok(Arc::new(ChannelBackend::from_config(config)?))).unwrap();
    let limits = Limits { memory: 24 << 20, ..Limits::default() };
    let storage = Storage::builder(misbehaving_runtime()).grant_kinds(kinds).limits(limits).build();
    for kind in ["memory", "channel"] {
        let error = storage.stat(&at(kind, "hoard/values/x")).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::LimitExceeded, "{kind}: {error}");
    }
    // What uploads gather is bounded whatever they go to: before a part is full, nothing is sent.
    let config = [("bucket", "b"), ("endpoint", "http://127.0.0.1:9"), ("anonymous", "true")];
    for kind in ["s3", "gcs"] {
        let backend = Registry::with_builtin().open(kind, omnistorage::Config::from(config)).unwrap();
        let limits = Limits { gathered: 8 << 20, ..Limits::default() };
        let hoard = misbehaving(backend, limits);
        let tried = tokio::time::timeout(PATIENCE, hoard.stat(&at("here", "hoard/bodies/x"))).await;
        let error = tried.unwrap().unwrap_err();
        assert_eq!(error.code(), ErrorCode::LimitExceeded, "{kind}: {error}");
        assert!(error.message().contains("`Limits::gathered`"), "{kind}: {error}");
    }
    // What its host granted has the bounds that the host gave it.
    let storage = misbehaving(Arc::new(MemoryBackend::with_capacity(24 << 20)), Limits::default());
    let error = storage.stat(&at("here", "hoard/values/x")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NoSpace, "{error}");
}

/// An object that is greater than what a call may hand over.
async fn read_all(limits: Limits) -> omnistorage::Error {
    let memory = memory();
    let object = Path::parse("read-all/big").unwrap();
    memory.write_all(&object, vec![0; 2 << 20].into(), &Default::default()).await.unwrap();
    misbehaving(memory, limits).stat(&at("here", "read-all/big")).await.unwrap_err()
}

#[tokio::test]
async fn words_on_the_end_of_a_write_are_few() {
    let error = refusal("hoard/words/x", Limits::default()).await;
    assert_eq!(error.code(), ErrorCode::LimitExceeded, "{error}");
}

#[tokio::test]
async fn to_do_nothing_is_to_get_nothing_done() {
    for way in ["pause", "delete", "copy-many", "refused"] {
        let limits = Limits { guest_time: Duration::from_millis(100), ..Limits::default() };
        let error = refusal(&format!("idle/{way}"), limits).await;
        assert_eq!(error.code(), ErrorCode::Timeout, "{way}: {error}");
        assert!(error.message().contains("`Limits::guest_time`"), "{error}");
    }
}

#[tokio::test]
async fn what_is_closed_stays_closed() {
    for backend in [memory(), directory(1).1] {
        misbehaving(backend.clone(), Limits::default()).stat(&at("here", "reopen")).await.unwrap();
        // It was a handle that was closed, and not what others use.
        backend.stat(&Path::root()).await.unwrap();
    }
}

/// The component with so many more instances of a core module in it.
fn with_instances(component: &[u8], module: &[u8], count: usize) -> Vec<u8> {
    const CORE_MODULE: u8 = 1;
    const CORE_INSTANCE: u8 = 2;
    /// Takes a number in LEB128 from the front.
    fn take(bytes: &mut &[u8]) -> usize {
        let (mut number, mut shift) = (0, 0);
        while let Some((byte, rest)) = bytes.split_first() {
            *bytes = rest;
            number |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }
    fn section(id: u8, contents: &[u8]) -> Vec<u8> {
        let length = contents.len();
        [&[id, length as u8 & 0x7f | 0x80, (length >> 7) as u8][..], contents].concat()
    }
    let (mut rest, mut modules) = (&component[8..], 0);
    while let Some((id, after)) = rest.split_first() {
        rest = after;
        modules += u8::from(*id == CORE_MODULE);
        let length = take(&mut rest);
        rest = &rest[length..];
    }
    assert!(modules < 0x80);
    let mut component = [component, &section(CORE_MODULE, module)].concat();
    for _ in 0..count {
        // One, which is made of that module, without arguments.
        component.extend(section(CORE_INSTANCE, &[1, 0, modules, 0]));
    }
    component
}

/// `(module (memory 256))`, which is 16 MiB.
const MEMORY: &[u8] = b"\0asm\x01\0\0\0\x05\x04\x01\0\x80\x02";

/// `(module (table 5000 funcref))`
const TABLE: &[u8] = b"\0asm\x01\0\0\0\x04\x05\x01\x70\0\x88\x27";

fn component() -> &'static [u8] {
    static COMPONENT: LazyLock<Vec<u8>> =
        LazyLock::new(|| std::fs::read(build("omnistorage-test-guest")).unwrap());
    &COMPONENT
}

#[tokio::test]
async fn the_memories_and_tables_of_all_instances_are_summed() {
    for (module, count, limit) in [
        (MEMORY, 3, None),
        (MEMORY, 20, Some("`Limits::memory`")),
        (TABLE, 5, Some("`Limits::table_elements`")),
    ] {
        let component = with_instances(component(), module, count);
        let runtime = Runtime::with_component(&RuntimeOptions::default(), &component).unwrap();
        let storage = Storage::builder(&runtime).mount("here", memory()).build();
        let tried = storage.stat(&at("here", "escape")).await;
        match limit {
            None => drop(tried.unwrap()),
            Some(limit) => {
                let error = tried.unwrap_err();
                assert_eq!(error.code(), ErrorCode::LimitExceeded, "{error}");
                assert!(error.message().contains(limit), "{error}");
            }
        }
        // The next one is none the worse for it.
        put(&two_memories(), "here", &[("x", "fine")]).await;
    }
}

/// A host that runs components by itself.
struct Embedder {
    table: ResourceTable,
    wasi: WasiCtx,
    storage: StorageCtx,
}

impl WasiView for Embedder {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl StorageView for Embedder {
    fn storage(&mut self) -> StorageCtxView<'_> {
        StorageCtxView { ctx: &mut self.storage, table: &mut self.table }
    }
}

/// What the component says to an attempt, in a store of such a host.
async fn attempt_in_a_store(component: &[u8], limits: Limits, path: &str) -> String {
    let engine = Engine::new(&Config::new()).unwrap();
    let component = Component::from_binary(&engine, component).unwrap();
    let mut linker = Linker::<Embedder>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
    omnistorage::runtime::add_to_linker(&mut linker).unwrap();
    let (_directory, backend) = directory(64 << 20);
    let storage = StorageCtx::new(&Policy::new().mount("here", backend).limits(limits));
    let state = Embedder { table: ResourceTable::new(), wasi: WasiCtx::builder().build(), storage };
    let mut store = Store::new(&engine, state);
    omnistorage::runtime::limit_store(&mut store);
    let instance = match linker.instantiate_async(&mut store, &component).await {
        Ok(instance) => instance,
        Err(error) => return format!("{error:#}"),
    };
    let objects = instance.get_export_index(&mut store, None, "omnistorage:storage/objects@0.1.0").unwrap();
    let stat = instance.get_export_index(&mut store, Some(&objects), "stat").unwrap();
    let stat = instance.get_func(&mut store, stat).unwrap();
    let field = |name: &str, value: &str| (name.to_owned(), Val::String(value.to_owned()));
    let place = Val::Record(vec![field("backend", "here"), field("path", path)]);
    let mut results = [Val::Bool(false)];
    match stat.call_async(&mut store, &[place], &mut results).await {
        Ok(()) => format!("{results:?}"),
        Err(error) => format!("{error:#}"),
    }
}

#[tokio::test]
async fn the_limits_hold_in_the_stores_of_others() {
    let small = || Limits { memory: 24 << 20, ..Limits::default() };
    let few = || Limits { resources: 100, ..Limits::default() };
    for (path, limits, limit) in [
        ("hoard/reads", small(), "`Limits::memory`"),
        ("hoard/wholes", small(), "`Limits::memory`"),
        ("hoard/listings", few(), "`Limits::resources`"),
        ("hoard/backends", few(), "`Limits::resources`"),
        ("items/delete", Limits::default(), "`Limits::items`"),
        ("hoard/handles", Limits { handles: 1000, ..Limits::default() }, "handle limit"),
    ] {
        let said = attempt_in_a_store(component(), limits, path).await;
        assert!(said.contains(limit), "{path}: {said}");
    }
    let many = with_instances(component(), MEMORY, 20);
    let said = attempt_in_a_store(&many, Limits::default(), "escape").await;
    assert!(said.contains("memory minimum size"), "{said}");
}

/// A dozen that take all that they can get of every kind, and keep it.
#[tokio::test]
async fn a_dozen_that_take_all_leave_the_others_theirs() {
    // In a process of its own, whose files and memory are those of this test alone.
    let test = "budget::in_a_process_with_few_files";
    let status = Command::new("sh")
        .args(["-c", r#"ulimit -n 1024 && exec "$0" "$@""#])
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture"])
        .status()
        .unwrap();
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the test above runs it"]
async fn in_a_process_with_few_files() {
    const BUDGET: usize = 32 << 20;
    let kinds = ["reads", "listings", "writes", "wholes", "values", "memory"];
    let (place, backend) = directory(1 << 30);
    let limits = Limits { memory: BUDGET, ..Limits::default() };
    let hostile = misbehaving(backend.clone(), limits);
    let before = resident();
    let hoards: Vec<_> = (0..12)
        .map(|number| {
            let path = format!("keep/{}/{number}", kinds[number % kinds.len()]);
            let hostile = hostile.clone();
            tokio::spawn(async move { hostile.stat(&at("here", &path)).await })
        })
        .collect();
    let honest = storage([("here", backend)]);
    let all_are_full = || {
        // The memory of some is so full that they cannot say it.
        let full = std::fs::read_dir(place.path().join("full")).map_or(0, Iterator::count);
        full + hoards.iter().filter(|hoard| hoard.is_finished()).count() == hoards.len()
    };
    let work = async {
        let mut round = 0;
        while round < 20 || !all_are_full() {
            let name = format!("honest/{}", round % 20);
            put(&honest, "here", &[(&name, "fine")]).await;
            let place = at("here", &name);
            assert_eq!(honest.stat(&place).await.unwrap().size, Some(4));
            let reader = honest.read(&place, &ReadOptions::default(), None).await.unwrap();
            drop(reader);
            round += 1;
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, work).await.expect("the others do not get on");
    let grown = resident().saturating_sub(before);
    // Twice the sum of the budgets: of what is read by value, each has its part there and here for a moment.
    assert!(grown < 12 * BUDGET * 2, "{grown} bytes");
}

/// Bytes of this process in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<usize>().unwrap() * 1024
}
