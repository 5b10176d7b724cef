//! What the tests of every codec share: driving one, and data for it.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use omnistorage_core::codec::{CodecError, CodecErrorKind, Coder, DecoderLimits, gzip, lz4, snappy, zstd};

type Encode = fn(Option<i32>) -> Result<Box<dyn Coder>, CodecError>;

/// A codec under test: each engine is one.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) encoder: Encode,
    pub(crate) decoder: fn(DecoderLimits) -> Box<dyn Coder>,
    /// Some of its levels.
    pub(crate) levels: &'static [i32],
}

pub(crate) const GZIP_BASE: Subject = Subject {
    name: "gzip, base",
    encoder: |level| gzip::base::encoder(level, &gzip::Header::default()),
    decoder: gzip::base::decoder,
    levels: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
};

#[cfg(feature = "fast")]
pub(crate) const GZIP_FAST: Subject = Subject {
    name: "gzip, fast",
    encoder: |level| gzip::fast::encoder(level, &gzip::Header::default()),
    decoder: gzip::fast::decoder,
    ..GZIP_BASE
};

pub(crate) const ZSTD_BASE: Subject =
    Subject { name: "zstd, base", encoder: zstd::base::encoder, decoder: zstd::base::decoder, levels: &[3] };

#[cfg(feature = "fast")]
pub(crate) const ZSTD_FAST: Subject = Subject {
    name: "zstd, fast",
    encoder: zstd::fast::encoder,
    decoder: zstd::fast::decoder,
    levels: &[-131_072, -7, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 16, 17, 18, 19, 20, 21, 22],
};

pub(crate) const SNAPPY: Subject =
    Subject { name: "snappy", encoder: snappy::encoder, decoder: snappy::decoder, levels: &[] };

pub(crate) const LZ4: Subject =
    Subject { name: "lz4", encoder: lz4::encoder, decoder: lz4::decoder, levels: &[] };

#[cfg(not(feature = "fast"))]
pub(crate) const GZIP: [Subject; 1] = [GZIP_BASE];
#[cfg(feature = "fast")]
pub(crate) const GZIP: [Subject; 2] = [GZIP_BASE, GZIP_FAST];

#[cfg(not(feature = "fast"))]
pub(crate) const ZSTD: [Subject; 1] = [ZSTD_BASE];
#[cfg(feature = "fast")]
pub(crate) const ZSTD: [Subject; 2] = [ZSTD_BASE, ZSTD_FAST];

/// Every codec with every engine that this build has.
pub(crate) fn subjects() -> impl Iterator<Item = Subject> {
    GZIP.into_iter().chain([SNAPPY, LZ4]).chain(ZSTD)
}

/// Sends the input through in chunks, with so much room for output at a time.
pub(crate) fn run(
    codec: &mut dyn Coder,
    input: &[u8],
    chunk: usize,
    room: usize,
) -> (Vec<u8>, Result<(), CodecError>) {
    let (mut all, mut output) = (Vec::new(), Vec::with_capacity(room));
    let room = output.capacity();
    let mut drive = || {
        for mut part in input.chunks(chunk) {
            loop {
                let taken = codec.push(part, &mut output)?;
                part = &part[taken..];
                assert_eq!(output.capacity(), room, "the output grew");
                let full = output.len() == room;
                assert!(full || part.is_empty(), "input was left although there was room");
                all.append(&mut output);
                if !full {
                    break;
                }
            }
        }
        while !codec.finish(&mut output)? {
            assert_eq!(output.len(), room, "finish asked for room that it had");
            all.append(&mut output);
        }
        Ok(())
    };
    let result = drive();
    all.append(&mut output);
    (all, result)
}

impl Subject {
    pub(crate) fn compress(&self, input: &[u8], level: Option<i32>) -> Vec<u8> {
        let (packed, result) = run(&mut *(self.encoder)(level).unwrap(), input, 1 << 16, 1 << 16);
        result.unwrap();
        packed
    }

    pub(crate) fn decompress(&self, input: &[u8]) -> Result<Vec<u8>, CodecError> {
        self.decompress_in(input, 1 << 16, 1 << 16)
    }

    pub(crate) fn decompress_in(
        &self,
        input: &[u8],
        chunk: usize,
        room: usize,
    ) -> Result<Vec<u8>, CodecError> {
        let (output, result) = self.decode(input, chunk, room, DecoderLimits::default());
        result.map(|()| output)
    }

    /// What comes out, and how it ends.
    pub(crate) fn decode(
        &self,
        input: &[u8],
        chunk: usize,
        room: usize,
        limits: DecoderLimits,
    ) -> (Vec<u8>, Result<(), CodecError>) {
        run(&mut *(self.decoder)(limits), input, chunk, room)
    }

    /// What decompression fails with, which does not depend on how the input is cut.
    pub(crate) fn error_of(&self, input: &[u8]) -> (CodecErrorKind, u64) {
        let result = self.decompress(input);
        assert!(result.is_err(), "{} accepts it", self.name);
        let error = result.unwrap_err();
        for chunk in [1, 3] {
            let again = self.decompress_in(input, chunk, 1 << 16);
            assert_eq!(again, Err(error.clone()), "{}, in chunks of {chunk}", self.name);
        }
        (error.kind, error.offset)
    }
}

/// Text with repetitions near and far, and some noise.
pub(crate) fn sample(size: usize) -> Vec<u8> {
    let mut random = Random(7);
    let mut bytes = Vec::with_capacity(size + 32);
    while bytes.len() < size {
        match random.below(3) {
            0 => bytes.extend_from_slice(b"{\"level\": \"info\", \"user\": "),
            1 => bytes.extend_from_slice(random.next().to_string().as_bytes()),
            _ => bytes.extend_from_slice(&random.next().to_le_bytes()),
        }
    }
    bytes.truncate(size);
    bytes
}

/// SplitMix64 (Steele, Lea and Flood 2014): seeded, so that a failure can be had again.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// What a program makes of the input. The message tells what is missing if it cannot be started.
pub(crate) fn pipe(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("this test needs {program} on the PATH: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{program} {arguments:?} failed");
    output.stdout
}
