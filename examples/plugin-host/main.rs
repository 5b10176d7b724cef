//! A host of plugins: components by others, each with what it was granted and no more.

use std::{path::Path, process::Command, sync::Arc, time::Duration};

use omnistorage::{
    Backend, MemoryBackend,
    backend::{layer::Layered, prefix::Prefix, read_only::ReadOnly},
    runtime::{
        Limits, Policy, StorageCtx, StorageCtxView, StorageView, add_to_linker, limit_store, limit_time,
        missing_imports, watch,
    },
};
use wasmtime::{
    Config, Engine, Store,
    component::{Component, InstancePre, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// The data of a store: one for each run of a plugin.
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

/// A plugin, ready to run as often as one likes.
struct Plugin {
    name: &'static str,
    policy: Policy,
    instance: InstancePre<State>,
}

impl Plugin {
    fn load(engine: &Engine, name: &'static str, policy: Policy) -> anyhow::Result<Self> {
        let mut linker = Linker::new(engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        add_to_linker(&mut linker)?;
        let component = Component::from_binary(engine, &built(name)?)?;
        // All that is missing, in one message, before anything runs.
        if let Some(missing) = missing_imports(&linker, &component)? {
            anyhow::bail!("{name}: {missing}");
        }
        Ok(Self { name, policy, instance: linker.instantiate_pre(&component)? })
    }

    /// Runs a task in an instance of its own. An error is what the plugin says, or what it did that ended it.
    async fn run(&self, task: &str) -> anyhow::Result<String> {
        let state = State {
            table: ResourceTable::new(),
            // No directories, no environment, no network.
            wasi: WasiCtx::builder().build(),
            storage: StorageCtx::new(&self.policy),
        };
        let mut store = Store::new(self.instance.engine(), state);
        limit_store(&mut store);
        limit_time(&mut store);
        let called = async {
            let instance = self.instance.instantiate_async(&mut store).await?;
            let run = instance.get_typed_func::<(&str,), (Result<String, String>,)>(&mut store, "run")?;
            let (outcome,) = run.call_async(&mut store, (task,)).await?;
            wasmtime::error::Ok(outcome)
        };
        match called.await {
            Ok(outcome) => outcome.map_err(|said| anyhow::anyhow!("{} was refused: {said}", self.name)),
            Err(error) => {
                anyhow::bail!("{} was ended: {}", self.name, store.data().storage.explain(&error).message())
            }
        }
    }
}

/// A plugin of this folder. In a host of yours they come as files.
fn built(name: &str) -> anyhow::Result<Vec<u8>> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let directory = tempfile::tempdir()?;
    let component = directory.path().join("plugin.wasm");
    let build = Command::new(workspace.join("guest/build.sh"))
        .arg(format!("omnistorage-example-{name}"))
        .arg(&component)
        .output()?;
    anyhow::ensure!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    Ok(std::fs::read(component)?)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    run().await
}

#[allow(clippy::print_stdout, reason = "it shows what it does")]
pub(crate) async fn run() -> anyhow::Result<()> {
    let engine = Engine::new(Config::new().epoch_interruption(true))?;
    watch(&engine)?;

    let logs: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
    let log = "{\"level\":\"info\"}\n{\"level\":\"warn\"}\n{\"level\":\"info\"}\n";
    logs.write_all(&"today.ndjson".parse()?, log.into(), &Default::default()).await?;
    // One store for all plugins: each sees its own part of it.
    let plugins: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
    let own = |name: &str| anyhow::Ok(Arc::new(Prefix::new(plugins.clone(), name.parse()?)));
    let limits = Limits {
        memory: 32 << 20,
        resources: 64,
        guest_time: Duration::from_millis(500),
        ..Limits::default()
    };

    let tally = Policy::new()
        .mount("own", own("tally")?)
        .mount("logs", Arc::new(Layered::new(logs, ReadOnly)))
        .limits(limits.clone());
    let tally = Plugin::load(&engine, "tally", tally)?;
    let rogue = Plugin::load(&engine, "rogue", Policy::new().mount("own", own("rogue")?).limits(limits))?;

    let counts = tally.run("today.ndjson").await?;
    println!("tally: {counts}");
    for (task, expected) in [
        ("read another's", "`..`"),
        ("open what was not granted", "no backend `logs` was granted"),
        ("open the file system", "no backend `file` was granted"),
        ("take all memory", "memory"),
        ("hoard handles", "64"),
        ("run for ever", "without getting anything done"),
    ] {
        let Err(refused) = rogue.run(task).await else { anyhow::bail!("rogue was let {task}") };
        println!("{task}: {refused}");
        anyhow::ensure!(refused.to_string().contains(expected), "another reason was expected: {refused}");
    }
    // Nobody else noticed.
    anyhow::ensure!(tally.run("today.ndjson").await? == counts);
    anyhow::ensure!(counts == r#"{"info":2,"warn":1}"#);
    Ok(())
}
