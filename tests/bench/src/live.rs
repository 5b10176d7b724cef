//! A call on a live instance: what the component adds to an answer of its backend, once it is there. The calls come one
//! after the other, as an embedder makes them who keeps an instance. Told is the fastest round: what others do on the
//! machine makes the others slower.

use std::sync::Arc;

use anyhow::{Result, ensure};
use omnistorage::{Backend, MemoryBackend, Path as ObjectPath, backend::WriteOptions};

use crate::{
    calls::{GuestIndices, Location},
    inside::{Comparison, Times, each},
    instance::Instances,
};

/// Calls one after the other, in each round.
const CALLS: u32 = 1000;

/// Rounds for each of another row, since they are short.
const ROUNDS: u32 = 20;

/// Bytes of the object.
const SIZE: u64 = 1 << 10;

/// Asks about an object so often, by the component and by the backend alone.
///
/// # Errors
/// If the component does not answer.
pub(crate) async fn measure(rounds: u32) -> Result<Comparison> {
    let backend = Arc::new(MemoryBackend::new());
    let path = ObjectPath::parse("object")?;
    backend.write_all(&path, vec![1; SIZE as usize].into(), &WriteOptions::default()).await?;
    let instances = Instances::new()?;
    let (mut store, instance) = instances.make(&backend).await?;
    let objects = GuestIndices::new(instances.template())?.load(&mut store, &instance)?;
    let times = store
        .run_concurrent(async |inside| {
            let calls = async || {
                for _ in 0..CALLS {
                    let at = Location { backend: "memory".to_owned(), path: path.to_string() };
                    ensure!(objects.call_stat(inside, at).await??.size == Some(SIZE));
                }
                Ok(())
            };
            let alone = async || {
                for _ in 0..CALLS {
                    ensure!(backend.stat(&path).await?.size == Some(SIZE));
                }
                Ok(())
            };
            Times::fastest(ROUNDS * rounds, calls, alone).await
        })
        .await??;
    Ok(times.cost("a call (`stat`) on a live instance", "the backend", each(CALLS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_component_takes_longer_than_its_backend() -> Result<()> {
        let found = measure(1).await?;
        assert!(found.ratio > 1.0, "{} and {}", found.ours, found.theirs);
        Ok(())
    }
}
