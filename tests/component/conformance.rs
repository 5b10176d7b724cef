//! The conformance suite as a component, which tests what this host provides.

use std::sync::{Arc, LazyLock};

use omnistorage::{
    Backend, FileBackend, MemoryBackend,
    backend::file::FileOptions,
    runtime::{Policy, StorageCtx, StorageCtxView, StorageView, add_to_linker},
};
use wasmtime::{
    Engine, Store,
    component::{Component, Func, Instance, Linker, ResourceTable, Val},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView, p2::pipe::MemoryOutputPipe};

use crate::build::build;

struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    storage: StorageCtx,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl StorageView for State {
    fn storage(&mut self) -> StorageCtxView<'_> {
        StorageCtxView { ctx: &mut self.storage, table: &mut self.table }
    }
}

/// The compiled suite, with all that it imports.
static SUITE: LazyLock<(Engine, Linker<State>, Component)> = LazyLock::new(|| {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
    add_to_linker(&mut linker).unwrap();
    let component = Component::from_file(&engine, build("omnistorage-conformance-component")).unwrap();
    (engine, linker, component)
});

/// An instance that may use one backend, and where its complaints go.
async fn instance(backend: Arc<dyn Backend>) -> (Store<State>, Instance, MemoryOutputPipe) {
    let (engine, linker, component) = &*SUITE;
    let complaints = MemoryOutputPipe::new(1 << 20);
    let state = State {
        table: ResourceTable::new(),
        wasi: WasiCtx::builder().stderr(complaints.clone()).build(),
        storage: StorageCtx::new(&Policy::new().mount("tested", backend)),
    };
    let mut store = Store::new(engine, state);
    let instance = linker.instantiate_async(&mut store, component).await.unwrap();
    (store, instance, complaints)
}

fn function(store: &mut Store<State>, instance: Instance, name: &str) -> Func {
    let suite =
        instance.get_export_index(&mut *store, None, "omnistorage:storage/conformance@0.1.0").unwrap();
    let index = instance.get_export_index(&mut *store, Some(&suite), name).unwrap();
    instance.get_func(store, index).unwrap()
}

async fn rows() -> Vec<String> {
    let (mut store, instance, _) = instance(Arc::new(MemoryBackend::new())).await;
    let rows = function(&mut store, instance, "rows");
    let mut results = [Val::Bool(false)];
    rows.call_async(&mut store, &[], &mut results).await.unwrap();
    let [Val::List(names)] = results else { panic!("{results:?}") };
    names
        .into_iter()
        .map(|name| if let Val::String(name) = name { name } else { panic!("{name:?}") })
        .collect()
}

/// What came of a row: its result, or why it trapped.
async fn check(row: &str, backend: Arc<dyn Backend>) -> Result<Val, String> {
    let (mut store, instance, complaints) = instance(backend).await;
    let check = function(&mut store, instance, "check");
    let arguments = [Val::String(row.to_owned()), Val::String("tested".to_owned())];
    let ran = store.run_concurrent(async |store| {
        let mut results = [Val::Bool(false)];
        check.call_concurrent(store, &arguments, &mut results).await?;
        let [result] = results;
        wasmtime::error::Ok(result)
    });
    match ran.await.and_then(|ran| ran) {
        Ok(result) => Ok(result),
        Err(trap) => Err(format!("{trap:?}\n{}", String::from_utf8_lossy(&complaints.contents()))),
    }
}

async fn check_all(mut backend: impl FnMut() -> Arc<dyn Backend>) {
    let mut broken = Vec::new();
    let rows = rows().await;
    assert!(rows.len() > 80, "{rows:?}");
    for row in rows {
        match check(&row, backend()).await {
            Ok(Val::Result(Ok(None))) => {}
            other => broken.push(format!("{row}: {other:?}")),
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[tokio::test]
async fn memory_keeps_every_promise() {
    check_all(|| Arc::new(MemoryBackend::new())).await;
}

#[tokio::test]
async fn files_keep_every_promise() {
    let directory = tempfile::tempdir().unwrap();
    let mut number = 0;
    check_all(|| {
        number += 1;
        let root = directory.path().join(number.to_string());
        std::fs::create_dir(&root).unwrap();
        Arc::new(FileBackend::open(&root, FileOptions::default()).unwrap())
    })
    .await;
}

/// A backend that forgets what it was to keep is found out, by the row that says so.
#[tokio::test]
async fn a_broken_promise_is_a_trap_with_a_reason() {
    let full = Arc::new(MemoryBackend::new());
    let path = omnistorage::Path::parse("already-there").unwrap();
    full.write_all(&path, "x".into(), &Default::default()).await.unwrap();
    let reason = check("list.an-empty-backend-lists-nothing", full).await.unwrap_err();
    assert!(reason.contains("already-there"), "{reason}");
}

#[tokio::test]
async fn an_unknown_row_is_an_error() {
    let result = check("write.poems", Arc::new(MemoryBackend::new())).await.unwrap();
    assert!(format!("{result:?}").contains("there is no row `write.poems`"), "{result:?}");
}
