//! The reports of ranges, as a run over many machines asks for them.

use async_trait::async_trait;

use super::super::{
    Globals, check::EntryJson, escape::printable_json, local::Need, place::Place, report_file::Lines,
    session::Session, transfer::EventJson,
};
use crate::{
    Location, Path, Result,
    cli::exit::Failure,
    cluster::{Happened, Log, Logs},
    runtime::{Codec, Compression, Storage},
};

/// Objects below a place, each with the events of `--json` of one range.
pub(super) struct Below {
    storage: Storage,
    place: Location,
}

impl Below {
    /// # Errors
    /// A place that cannot be opened.
    pub(super) fn open(globals: &Globals, place: &Place) -> std::result::Result<Self, Failure> {
        let (session, place) = Session::one(globals, place, Need::Contents)?;
        Ok(Self { storage: session.storage, place })
    }
}

impl Logs for Below {
    fn begin(&self, name: &str) -> Box<dyn Log> {
        let compress = Some(Compression { codec: Codec::Zstd, level: None, dictionary: None });
        let below = Path::parse(format!("{name}.ndjson.zst"));
        let started = below.and_then(|below| self.place.path.join(&below)).map(|path| {
            let object = Location { backend: self.place.backend.clone(), path };
            Lines::start(&self.storage, object, compress)
        });
        Box::new(Events(started.map_err(Into::into)))
    }
}

/// The events of a range; or why they cannot be written.
struct Events(Result<Lines>);

#[async_trait]
impl Log for Events {
    async fn add(&mut self, happened: Happened<'_>) {
        let json = match happened {
            Happened::Done(event) => printable_json(&EventJson::from(event)),
            Happened::Compared(entry) => printable_json(&EntryJson::from(entry)),
        };
        if let Ok(lines) = &mut self.0 {
            lines.add(&json).await;
        }
    }

    async fn finish(self: Box<Self>) -> Result<()> {
        self.0?.finish().await
    }
}
