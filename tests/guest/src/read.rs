//! Reads that pass through the memory of the component.

use wit_bindgen::{StreamReader, StreamResult, StreamWriter, spawn_local};

use crate::{
    BUFFER, behaviour,
    bindings::{wit_future, wit_stream},
    error,
    exports::{compression::Body, objects::Reader},
    frame,
    imports::{
        backend::{self, ReadOptions},
        types::{Error, ErrorCode, Location},
    },
};

/// Opens an object and hands its bytes on through one buffer of 256 KiB: the cost of a component that touches every
/// byte and does nothing with it.
///
/// - `pump`: all of them, and the word of the backend on their end.
/// - `half`: half of them; then it drops both streams and says nothing.
/// - `forge`: half of them; then it says that this was all.
/// - `frame`: none of them, but how many records they are: see [`frame`].
pub(crate) async fn read(source: Location, options: ReadOptions) -> Result<Reader, Error> {
    let (behaviour, path) = (behaviour(&source), source.path.clone());
    let open = backend::open(source.backend, Vec::new()).await?;
    let reader = open.read(source.path, options).await?;
    let half = reader.info.size.unwrap_or(0) / 2;

    let (sink, contents) = wit_stream::new();
    let (verdict, completion) = wit_future::new(|| Err(error(ErrorCode::Cancelled, "it left")));
    spawn_local(async move {
        if behaviour == "frame" {
            let counted = frame::count(&path, reader.contents).await;
            let (mut sink, word) = (sink, reader.completion.await);
            drop(sink.write_all(counted.to_string().into_bytes()).await);
            drop(sink);
            let _ = verdict.write(word).await;
            return;
        }
        let limit = if behaviour == "pump" { u64::MAX } else { half };
        drop(hand_on(reader.contents, sink, limit).await);
        let word = match behaviour.as_str() {
            "pump" => reader.completion.await,
            "half" => return,
            "forge" => Ok(()),
            other => panic!("there is no read {other:?}"),
        };
        // A reader that left does not want to know.
        let _ = verdict.write(word).await;
    });
    Ok(Reader { info: reader.info, contents: Body { contents, completion } })
}

/// Hands bytes on, until their end, at most `limit` of them, or until nobody takes them; gives the sink back.
pub(crate) async fn hand_on(
    mut source: StreamReader<u8>,
    mut sink: StreamWriter<u8>,
    limit: u64,
) -> StreamWriter<u8> {
    let (mut buffer, mut left) = (Vec::with_capacity(BUFFER), limit);
    while left > 0 {
        let (state, mut chunk) = source.read(buffer).await;
        chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= chunk.len() as u64;
        // What was written comes back empty, with its capacity.
        buffer = sink.write_all(chunk).await;
        if state == StreamResult::Dropped || !buffer.is_empty() {
            break;
        }
    }
    sink
}
