//! `dictionary train`.

#![allow(clippy::disallowed_methods, reason = "the dictionary goes to a file that the user names")]

use std::{fs, future::ready, path::PathBuf};

use clap::{Args, Subcommand};
use futures::{Stream, StreamExt, TryStreamExt};
use indicatif::HumanBytes;

use super::{
    Globals,
    exit::{Failure, Subject},
    filter::FilterOptions,
    local::Need,
    output::{note, printable},
    place::Place,
    session::Session,
    size::parse_size,
};
use crate::{
    Location, ObjectInfo, ObjectKind,
    backend::{ListOptions, Listed, ReadOptions},
    runtime::Filter,
};

/// Make dictionaries, with which zstd compresses small objects
#[derive(Args)]
pub(crate) struct Dictionaries {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Train(Train),
}

impl Dictionaries {
    pub(crate) async fn run(self, globals: &Globals) -> Result<(), Failure> {
        match self.command {
            Command::Train(command) => command.run(globals).await,
        }
    }
}

/// Of an object, what is a sample: behind its start it repeats itself.
const MOST_OF_ONE: u64 = 128 << 10;

/// What all samples may have together: they are in memory at once.
const MOST: u64 = 64 << 20;

/// Samples for each byte of the dictionary: more make it hardly better.
const SHARE: u64 = 100;

/// Objects that are read at once.
const AT_ONCE: usize = 8;

/// Make a dictionary of what small objects have in common
///
/// With it (`--dictionary`), objects that are too small to repeat much of themselves become a fraction. The samples are objects
/// as they will be compressed: thousands, if there are so many, and the first 128 KiB of each. Of more than a hundred times
/// the size of the dictionary, a part is read that is spread evenly.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
struct Train {
    /// The most bytes that the dictionary may have: 1 KiB to 4 MiB
    #[arg(long, value_name = "SIZE", default_value = "110K", value_parser = parse_size)]
    size: u64,
    /// The file that it goes to, which is replaced
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    filter: FilterOptions,
    /// Objects, or what is below directories
    #[arg(required = true, value_name = "PLACE", value_parser = Place::parser())]
    places: Vec<Place>,
}

const EXAMPLES: &str = "\
Examples:
  omnistorage dictionary train -o orders.dictionary ./orders
  omnistorage dictionary train --size 64K -o events.dictionary --include '*.json' s3://bucket/events";

impl Train {
    async fn run(self, globals: &Globals) -> Result<(), Failure> {
        let Ok(size) = u32::try_from(self.size) else {
            return Err(Failure::usage("a dictionary has at most 4 MiB"));
        };
        let filter = self.filter.filter()?;
        let (session, places) = Session::each_of(globals, &self.places, Need::Contents)?;
        let wanted = MOST.min(SHARE * u64::from(size));
        let mut found = 0;
        for place in &places {
            let mut objects = std::pin::pin!(objects(&session, place, &filter).await?);
            while let Some(object) = objects.try_next().await? {
                found += weight(&object);
            }
        }
        let mut choice = Choice { found, wanted, passed: 0 };
        let (mut samples, mut total) = (Vec::new(), 0);
        for place in &places {
            let chosen =
                objects(&session, place, &filter).await?.try_filter(|object| ready(choice.takes(object)));
            let read = chosen.map_ok(|object| sample(&session, place, object)).try_buffered(AT_ONCE);
            let mut read = std::pin::pin!(read);
            // What came to be since it was first listed does not count.
            while total < wanted
                && let Some(sample) = read.try_next().await?
            {
                total += sample.len() as u64;
                samples.push(sample);
            }
        }
        let count = samples.len();
        let trained = session.storage.train_dictionary(samples, size).await;
        let dictionary = trained.map_err(session.failure(Subject::Object))?;
        if let Err(error) = fs::write(&self.output, dictionary.as_bytes()) {
            let name = printable(&self.output.to_string_lossy()).to_string();
            return Err(Failure::system(&format!("cannot write the dictionary `{name}`"), error));
        }
        if !globals.quiet {
            let (length, total) = (HumanBytes(dictionary.as_bytes().len() as u64), HumanBytes(total));
            note(format_args!("trained a dictionary of {length} from {count} objects, {total}"));
        }
        Ok(())
    }
}

/// The objects of a place.
async fn objects(
    session: &Session,
    place: &Location,
    filter: &Filter,
) -> Result<impl Stream<Item = Result<ObjectInfo, Failure>>, Failure> {
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let entries = session.storage.find(place, filter, &options).await;
    let entries = entries.map_err(session.failure(Subject::Tree))?;
    Ok(entries.filter_map(|listed| {
        ready(match listed {
            Ok(Listed::Entry(entry)) => (entry.kind == ObjectKind::Object).then_some(Ok(entry)),
            Ok(Listed::Failure(failure)) => Some(Err(session.failure(Subject::Object)(failure.error))),
            Err(error) => Some(Err(session.failure(Subject::Tree)(error))),
        })
    }))
}

/// The sample that an object is.
async fn sample(session: &Session, place: &Location, object: ObjectInfo) -> Result<Vec<u8>, Failure> {
    let at = Location { backend: place.backend.clone(), path: object.path };
    let options = ReadOptions { length: Some(MOST_OF_ONE), ..ReadOptions::default() };
    let read = async {
        let mut contents = session.storage.read(&at, &options, None).await?.contents;
        let mut sample = Vec::new();
        while let Some(chunk) = contents.try_next().await? {
            sample.extend_from_slice(&chunk);
        }
        Ok(sample)
    };
    read.await.map_err(session.failure(Subject::Object))
}

/// Bytes that an object gives as a sample. Where nobody tells its size, it is taken for a small one.
fn weight(object: &ObjectInfo) -> u64 {
    object.size.unwrap_or(1024).min(MOST_OF_ONE)
}

/// Takes a part of the objects, spread evenly.
struct Choice {
    found: u64,
    wanted: u64,
    /// What would have been taken, in parts of what was found, less what was taken.
    passed: u64,
}

impl Choice {
    fn takes(&mut self, object: &ObjectInfo) -> bool {
        if self.found <= self.wanted {
            return true;
        }
        let weight = weight(object);
        self.passed += weight.saturating_mul(self.wanted);
        let takes = self.passed >= weight.saturating_mul(self.found);
        if takes {
            self.passed -= weight.saturating_mul(self.found);
        }
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Path;

    fn taken(sizes: &[u64], wanted: u64) -> Vec<u64> {
        let object = |size| ObjectInfo {
            size: Some(size),
            ..ObjectInfo::new(Path::parse("a").unwrap(), ObjectKind::Object)
        };
        let mut choice = Choice { found: sizes.iter().sum(), wanted, passed: 0 };
        sizes.iter().copied().filter(|size| choice.takes(&object(*size))).collect()
    }

    #[test]
    fn a_part_is_taken_that_is_spread_evenly() {
        assert_eq!(taken(&[5, 6, 7], 18), [5, 6, 7]);
        assert_eq!(taken(&[10, 20, 10, 20, 10, 20], 30), [10, 10]);
        let sizes: Vec<u64> = (0..1000).map(|number| 100 + number % 7).collect();
        let sum: u64 = taken(&sizes, 10_000).iter().sum();
        assert!((9_500..10_500).contains(&sum), "{sum}");
        assert_eq!(taken(&[], 10), [0; 0]);
    }
}
