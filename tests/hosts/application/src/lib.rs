//! An application of the library, as others would write one: what the tests run in hosts that know nothing of it.

#![cfg(target_family = "wasm")]

/// What `wit-bindgen` makes of the WIT package.
#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, clippy::unwrap_used, clippy::panic)]
mod bindings {
    wit_bindgen::generate!({
        inline: "
            package omnistorage:hosts;

            world application {
                import omnistorage:storage/objects@0.1.0;
                import omnistorage:storage/sync@0.1.0;

                /// Makes the target equal to the source; tells what was done.
                export mirror: async func(source: string, target: string) -> result<string, string>;

                /// The same, with no more bytes a second.
                export mirror-slowly: async func(source: string, target: string, bandwidth: u64) -> result<string, string>;

                /// Begins to write an object, and goes on for a minute: long enough to be killed.
                export write-slowly: async func(backend: string, path: string) -> result<string, string>;

                /// Removes what unfinished writes left; tells how many there were.
                export sweep: async func(backend: string) -> result<string, string>;
            }
        ",
        path: "../../../wit",
        world: "omnistorage:hosts/application",
        generate_all,
    });

    export!(Application with_types_in self);

    /// The one type that all exported functions hang on.
    pub struct Application;
}

use bindings::{
    Application, Guest,
    omnistorage::storage::{compression, filters, objects, sync, types},
    wit_future, wit_stream,
};
use futures::join;
use omnistorage_types::{Path, SyncOptions, WriteOptions, wit::IntoWit};
use wasip3::clocks::monotonic_clock::wait_for;

omnistorage_types::mirror_types!(types);
omnistorage_types::mirror_filters!(filters);
omnistorage_types::mirror_objects!(compression, objects);
omnistorage_types::mirror_sync!(sync);

const SECOND: u64 = 1_000_000_000;

fn at(backend: String, path: String) -> types::Location {
    types::Location { backend, path }
}

fn told(error: types::Error) -> String {
    let at = error.at.map(|at| format!("{}:{}: ", at.backend, at.path)).unwrap_or_default();
    format!("{at}{}", error.message)
}

async fn mirror(source: String, target: String, bandwidth: Option<u64>) -> Result<String, String> {
    let root = Path::root().to_string();
    let (source, target) = (at(source, root.clone()), at(target, root));
    let options =
        SyncOptions { deletion: omnistorage_types::Deletion::After, bandwidth, ..SyncOptions::default() };
    let job = sync::sync(source, target, options.into_wit()).await.map_err(told)?;
    // Who does not want to know of events drops them.
    drop(job.events);
    let report = job.outcome.await.map_err(told)?;
    Ok(format!("{} transferred, {} deleted, {} errors", report.transferred, report.deleted, report.errors))
}

impl Guest for Application {
    async fn mirror(source: String, target: String) -> Result<String, String> {
        mirror(source, target, None).await
    }

    async fn mirror_slowly(source: String, target: String, bandwidth: u64) -> Result<String, String> {
        mirror(source, target, Some(bandwidth)).await
    }

    async fn write_slowly(backend: String, path: String) -> Result<String, String> {
        let (mut sink, contents) = wit_stream::new();
        let (word, completion) = wit_future::new(|| Ok(()));
        let options = WriteOptions::default().into_wit();
        let body = compression::Body { contents, completion };
        let write = objects::write(at(backend, path), body, options, None);
        let feed = async {
            for _ in 0..60 {
                sink.write_all(vec![b'n'; 1 << 20]).await;
                wait_for(SECOND).await;
            }
            drop(sink);
            let _ = word.write(Ok(())).await;
        };
        let (written, ()) = join!(write, feed);
        written.map(|info| format!("{:?} bytes", info.size)).map_err(told)
    }

    async fn sweep(backend: String) -> Result<String, String> {
        let swept = objects::sweep(at(backend, String::new()), 0).await.map_err(told)?;
        Ok(format!("{swept} swept"))
    }
}
