//! What an instance takes of memory that has served a small read: many are alive at once, each in a store of its own, and
//! all of them read at once.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use futures::{channel::oneshot, future::try_join_all};
use omnistorage::{Backend, MemoryBackend, Path as ObjectPath, backend::WriteOptions};
use wasmtime::{
    Store, StoreContextMut,
    component::{Source, StreamConsumer, StreamResult},
};

use crate::{
    calls::{GuestIndices, Location, Objects, ReadOptions},
    instance::{Instances, State},
    memory::Taken,
};

/// Bytes of the object.
const SIZE: usize = 4 << 10;

/// An instance that stays.
struct Alive {
    store: Store<State>,
    objects: Objects,
}

/// Reads a small object in so many instances, and tells what they take together. `None` where the system does not tell.
///
/// # Errors
/// If an instance does not serve it.
pub(crate) async fn measure(count: u32) -> Result<Option<Taken>> {
    let backend = Arc::new(MemoryBackend::new());
    let path = ObjectPath::parse("object")?;
    backend.write_all(&path, vec![1; SIZE].into(), &WriteOptions::default()).await?;
    let instances = Instances::with_room_for(count + 1)?;
    // What is needed but once is there after the first.
    let mut first = make(&instances, &backend).await?;
    read(&mut first, &path).await?;

    let before = Taken::now()?;
    let mut alive = Vec::new();
    for _ in 0..count {
        alive.push(make(&instances, &backend).await?);
    }
    try_join_all(alive.iter_mut().map(|one| read(one, &path))).await?;
    let after = Taken::now()?;
    drop((first, alive));

    Ok(before.zip(after).map(|(before, after)| after.since(before)))
}

async fn make(instances: &Instances, backend: &Arc<MemoryBackend>) -> Result<Alive> {
    let (mut store, instance) = instances.make(backend).await?;
    let objects = GuestIndices::new(instances.template())?.load(&mut store, &instance)?;
    Ok(Alive { store, objects })
}

/// Reads the object to its end.
async fn read(Alive { store, objects }: &mut Alive, path: &ObjectPath) -> Result<()> {
    let at = Location { backend: "memory".to_owned(), path: path.to_string() };
    let whole = ReadOptions { offset: 0, length: None, if_match: None };
    store
        .run_concurrent(async |inside| {
            let mut contents = objects.call_read(inside, at, whole, None).await??.contents;
            let (sender, taken) = oneshot::channel();
            let taking = Taking { bytes: Vec::new(), sender: Some(sender) };
            inside.with(|store| contents.contents.pipe(store, taking))?;
            let bytes = taken.await.context("the instance did not end the object")?;
            ensure!(bytes == [1; SIZE][..]);
            inside.with(|store| contents.completion.close(store))?;
            Ok(())
        })
        .await?
}

/// Takes all bytes of a stream, and gives them at its end.
struct Taking {
    bytes: Vec<u8>,
    sender: Option<oneshot::Sender<Bytes>>,
}

impl<D: 'static> StreamConsumer<D> for Taking {
    type Item = u8;

    fn poll_consume(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        source: Source<'_, u8>,
        _: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let mut source = source.as_direct(store);
        let bytes = source.remaining();
        let taken = bytes.len();
        self.get_mut().bytes.extend_from_slice(bytes);
        source.mark_read(taken);
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        if let Some(sender) = self.sender.take() {
            // Nobody may wait for it any more.
            let _ = sender.send(std::mem::take(&mut self.bytes).into());
        }
    }
}
