//! Runs: as they are gathered, sorted in memory, and merged from disk.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    sync::Arc,
};

use super::{
    disk::File,
    record::{decode, encode},
};
use crate::{Result, backend::Listed};

/// How many bytes of a run are read at once: the more runs, the fewer, so that all together stay small.
const READ_AHEAD: usize = 64 * 1024;

/// How many bytes all runs together read ahead, if each can do with its share.
const ALL_AHEAD: usize = 8 << 20;

/// The least.
const LEAST_AHEAD: usize = 4 * 1024;

/// Entries in the order in which they came, as bytes: for each the length of the path and of all, the path, the rest.
#[derive(Default)]
pub(super) struct Gathering {
    bytes: Vec<u8>,
    starts: Vec<u32>,
}

/// The lengths before a record: of its path, and of what follows the path.
type Head = [u8; 8];

impl Gathering {
    pub(super) fn push(&mut self, listed: &Listed) {
        // A run is flushed long before it gets that large.
        self.starts.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        let (head, path) = (self.bytes.len(), listed.path().as_str().as_bytes());
        self.bytes.extend(Head::default());
        self.bytes.extend_from_slice(path);
        let rest = self.bytes.len();
        encode(listed, &mut self.bytes);
        let lengths = [path.len(), self.bytes.len() - rest];
        let lengths = lengths.map(|length| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        if let Some(place) = self.bytes.get_mut(head..head + size_of::<Head>()) {
            place.copy_from_slice(lengths.as_flattened());
        }
    }

    /// In bytes.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn sort(mut self) -> Run {
        let bytes = &self.bytes;
        self.starts.sort_by(|one, other| path_at(bytes, *one).cmp(path_at(bytes, *other)));
        Run { gathering: self, position: 0 }
    }
}

fn lengths(head: Head) -> (usize, usize) {
    let (path, rest) = head.split_at(4);
    let length = |bytes: &[u8]| bytes.try_into().map_or(0, |bytes| u32::from_le_bytes(bytes) as usize);
    (length(path), length(rest))
}

/// The path and the rest of the record at a position.
fn record_at(bytes: &[u8], start: u32) -> (&[u8], &[u8]) {
    let Some((head, after)) = bytes.get(start as usize..).and_then(<[u8]>::split_first_chunk) else {
        return (&[], &[]);
    };
    let (path, rest) = lengths(*head);
    after.get(..path + rest).unwrap_or_default().split_at_checked(path).unwrap_or_default()
}

fn path_at(bytes: &[u8], start: u32) -> &[u8] {
    record_at(bytes, start).0
}

/// Entries in order, in memory.
pub(super) struct Run {
    gathering: Gathering,
    position: usize,
}

impl Run {
    pub(super) fn take(&mut self, max: usize) -> Result<Vec<Listed>> {
        let Gathering { bytes, starts } = &self.gathering;
        let from = self.position;
        self.position = from.saturating_add(max).min(starts.len());
        let starts = starts.get(from..self.position).unwrap_or_default();
        starts.iter().map(|start| record_at(bytes, *start)).map(|(path, rest)| decode(path, rest)).collect()
    }

    pub(super) fn write(&self, file: &mut File) -> Result<()> {
        let mut file = BufWriter::with_capacity(READ_AHEAD, file);
        let Gathering { bytes, starts } = &self.gathering;
        for start in starts {
            let (path, rest) = record_at(bytes, *start);
            let start = *start as usize;
            let end = start + size_of::<Head>() + path.len() + rest.len();
            file.write_all(bytes.get(start..end).unwrap_or_default())?;
        }
        Ok(file.flush()?)
    }
}

/// All entries, in order.
pub(super) enum Sorted {
    InMemory(Run),
    OnDisk(Box<Merged>),
}

/// Runs on disk, merged while they are read.
pub(super) struct Merged {
    runs: Vec<Reader>,
    /// The next record of each unfinished run, the smallest on top.
    next: BinaryHeap<Reverse<Record>>,
}

/// A record, and the run that it is from. Records of one path come in the order of their runs.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Record {
    path: Vec<u8>,
    run: usize,
    rest: Vec<u8>,
}

impl Merged {
    /// For runs that lie one after the other between these ends.
    pub(super) fn new(file: File, ends: &[u64]) -> Result<Self> {
        let file = Arc::new(file);
        let ahead = (ALL_AHEAD / ends.len().max(1)).clamp(LEAST_AHEAD, READ_AHEAD);
        let part = |ends: &[u64]| match ends {
            [start, end] => Some(Part { file: file.clone(), position: *start, end: *end }),
            _ => None,
        };
        let parts = ends.windows(2).filter_map(part);
        let runs = parts.map(|part| Reader(BufReader::with_capacity(ahead, part))).collect();
        let mut merged = Self { runs, next: BinaryHeap::new() };
        (0..merged.runs.len()).try_for_each(|run| merged.advance(run))?;
        Ok(merged)
    }

    pub(super) fn take(&mut self, max: usize) -> Result<Vec<Listed>> {
        let mut batch = Vec::new();
        while batch.len() < max
            && let Some(Reverse(Record { path, run, rest })) = self.next.pop()
        {
            batch.push(decode(&path, &rest)?);
            self.advance(run)?;
        }
        Ok(batch)
    }

    fn advance(&mut self, run: usize) -> Result<()> {
        if let Some(reader) = self.runs.get_mut(run)
            && let Some((path, rest)) = reader.next()?
        {
            self.next.push(Reverse(Record { path, run, rest }));
        }
        Ok(())
    }
}

/// A run on disk.
struct Reader(BufReader<Part>);

impl Reader {
    fn next(&mut self) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let mut head = Head::default();
        match self.0.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let (path, rest) = lengths(head);
        let (mut path, mut rest) = (vec![0; path], vec![0; rest]);
        self.0.read_exact(&mut path)?;
        self.0.read_exact(&mut rest)?;
        Ok(Some((path, rest)))
    }
}

/// A part of a file that others read too.
struct Part {
    file: Arc<File>,
    position: u64,
    end: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
        let buffer = buffer.get_mut(..left.min(buffer.len())).unwrap_or_default();
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(self.position))?;
        let count = file.read(buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}
