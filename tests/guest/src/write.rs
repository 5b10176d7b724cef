//! Writes that go wrong after half of the bytes.

use std::hint::black_box;

use futures::join;

use crate::{
    behaviour,
    bindings::{wit_future, wit_stream},
    error,
    exports::compression::Body,
    imports::{
        backend::{self, WriteOptions},
        types::{Error, ErrorCode, Location, ObjectInfo},
    },
    read::hand_on,
};

/// Begins to write an object, and hands on half of the size that is expected of it. Then:
///
/// - `trap`: it panics.
/// - `spin`: it computes for ever.
/// - `grow`: it allocates until it is refused, and dies of that.
/// - `leave`: it drops the stream and the completion without a word.
/// - `lie`: it says that this was all.
/// - `hang`: it waits for ever.
///
/// `whole` hands on everything, and commits: it shows that the others fail by what they do.
pub(crate) async fn write(
    target: Location,
    contents: Body,
    options: WriteOptions,
) -> Result<ObjectInfo, Error> {
    let behaviour = behaviour(&target);
    let open = backend::open(target.backend, Vec::new()).await?;
    let half = options.expected_size.unwrap_or(0) / 2;

    let (sink, stream) = wit_stream::new();
    let (completion, future) = wit_future::new(|| Err(error(ErrorCode::Cancelled, "it left")));
    let feed = async {
        let limit = if behaviour == "whole" { u64::MAX } else { half };
        let sink = hand_on(contents.contents, sink, limit).await;
        let verdict = match behaviour.as_str() {
            "trap" => panic!("as asked"),
            "spin" => loop {
                black_box(());
            },
            "grow" => grow(),
            "leave" => return,
            "lie" => Ok(()),
            "hang" => std::future::pending().await,
            "whole" => contents.completion.await,
            other => panic!("there is no write {other:?}"),
        };
        drop(sink);
        // A write that failed does not want to know.
        let _ = completion.write(verdict).await;
    };
    let (written, ()) = join!(open.write(target.path, stream, future, options), feed);
    written
}

fn grow() -> ! {
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![1_u8; 1 << 20]);
        black_box(&hoard);
    }
}
