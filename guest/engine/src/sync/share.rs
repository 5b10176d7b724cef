//! Shares memory among codecs: as many objects are compressed or decompressed at once as the sandbox has memory for.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use futures::{channel::oneshot, lock::Mutex};
use omnistorage_core::codec::{Codec, DecoderLimits, Dictionary, decoder_memory, encoder_memory};

/// What codecs may take up together. A sandbox has 256 MiB by default, and the rest of a run is small.
const CAPACITY: u64 = 176 << 20;

/// What an object takes up besides its codec: chunks on their way in and out.
const BESIDE: u64 = 1 << 20;

thread_local! {
    /// A sandbox has one memory, and one thread.
    static ROOM: Rc<Room> = Rc::new(Room { left: Cell::new(CAPACITY), turn: Mutex::new(()), returned: RefCell::default() });
}

struct Room {
    left: Cell<u64>,
    /// Held by the next in line, so that a large request is not overtaken for ever.
    turn: Mutex<()>,
    /// Notified when a share is returned.
    returned: RefCell<Option<oneshot::Sender<()>>>,
}

/// A part of the memory, until it is dropped.
pub(super) struct Share {
    room: Rc<Room>,
    bytes: u64,
}

impl Share {
    /// For a decoder with windows of up to this many bytes.
    pub(super) async fn of_decoder(window: u64, dictionary: Option<&Dictionary>) -> Self {
        let limits = DecoderLimits { max_window: Some(window), ..DecoderLimits::default() };
        Self::take(decoder_memory(limits) + content(dictionary) + BESIDE).await
    }

    /// For an encoder.
    pub(super) async fn of_encoder(
        codec: Codec,
        level: Option<i32>,
        dictionary: Option<&Dictionary>,
    ) -> Self {
        Self::take(encoder_memory(codec, level) + content(dictionary) + BESIDE).await
    }

    /// Waits until that much is free.
    async fn take(bytes: u64) -> Self {
        let room = ROOM.with(Rc::clone);
        let bytes = bytes.min(CAPACITY);
        {
            let _turn = room.turn.lock().await;
            while room.left.get() < bytes {
                let (sender, returned) = oneshot::channel();
                room.returned.replace(Some(sender));
                // A dropped sender means that its share was returned, too.
                let _ = returned.await;
            }
            room.left.set(room.left.get() - bytes);
        }
        Self { room, bytes }
    }
}

/// Each codec has a copy of the content, as what came before its own.
fn content(dictionary: Option<&Dictionary>) -> u64 {
    dictionary.map_or(0, |dictionary| dictionary.content().len() as u64)
}

impl Drop for Share {
    fn drop(&mut self) {
        self.room.left.set(self.room.left.get() + self.bytes);
        if let Some(waiting) = self.room.returned.take() {
            // The receiver may be gone.
            let _ = waiting.send(());
        }
    }
}
