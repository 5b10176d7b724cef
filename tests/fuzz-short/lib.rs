//! Runs the fuzz targets of `tests/fuzz` for a bounded number of rounds, on stable Rust: inputs are seeded, so that a
//! failure can be had again, and come from samples of what the targets read, damaged in a few places. libFuzzer, which
//! learns from what its inputs reach, finds more; this keeps the targets alive and finds the coarse.

use std::panic::{AssertUnwindSafe, catch_unwind};

use omnistorage_core::codec::{Codec, CodecError, Coder, encoder};

#[doc(hidden)]
pub use arbitrary;

/// Inputs that a target gets.
const ROUNDS: u64 = 1000;

/// Declares a target, as the macro of `libfuzzer-sys` does.
#[macro_export]
macro_rules! fuzz_target {
    (|$input:ident: &[u8]| $body:expr) => {
        #[unsafe(no_mangle)]
        extern "C" fn main() -> i32 {
            $crate::run(|$input: &[u8]| {
                $body;
            })
        }
    };
    (|$input:ident: $type:ty| $body:expr) => {
        #[unsafe(no_mangle)]
        extern "C" fn main() -> i32 {
            use $crate::arbitrary::{Arbitrary, Unstructured};

            $crate::run(|bytes: &[u8]| {
                let Ok($input) = <$type>::arbitrary_take_rest(Unstructured::new(bytes)) else { return };
                $body;
            })
        }
    };
}

/// Runs a target on every input; gives the exit status. The first input that it panics on is printed.
pub fn run(target: impl Fn(&[u8])) -> i32 {
    let Ok(samples) = samples() else { return 2 };
    for round in 0..ROUNDS {
        let input = input(&samples, &mut Random(round));
        if catch_unwind(AssertUnwindSafe(|| target(&input))).is_err() {
            eprintln!("this happened in round {round}, with the input {input:?}");
            return 1;
        }
    }
    println!("{ROUNDS} inputs: ok");
    0
}

/// What the targets read, whole and sound.
fn samples() -> Result<Vec<Vec<u8>>, CodecError> {
    let texts: [&[u8]; 8] = [
        b"{\"a\": 1, \"b\": [true, null, \"\\u00e9\\n\"]}\n\n{\"a\": -2.5e3, \"c\": {\"d\": \"\"}}\r\n{\"b\": \"x\"}",
        b" [{\"a\": [1, \"],\\\"\"],\n  \"b\": {}}, -2.5e3 ,\r\n\"x\", []]\n",
        b"name,note,count\nAda,\"one, \"\"two\"\"\nthree\",7\nBob,,0\r\n\"\",plain,-1.5\n",
        b"\0\0\0\x05hello\0\0\0\0\0\0\0\x02{}\x03abc\x80\x01",
        b"+ *.jpg\n- /tmp/**\n+ dir/{a,b}[0-9]?.txt\n# comment\n!\n- *",
        b"a/b/c dir/file..name \xc3\xa9/%2F/.hidden a/../b a//b /root",
        b"to and fro, to and fro, to and fro, to and fro, and back again",
        &[0; 3000],
    ];
    let mut samples: Vec<_> = texts.iter().map(|text| text.to_vec()).collect();
    for kind in Codec::ALL {
        for text in texts {
            samples.push(packed(&mut *encoder(kind, None)?, text)?);
        }
    }
    Ok(samples)
}

fn packed(codec: &mut dyn Coder, text: &[u8]) -> Result<Vec<u8>, CodecError> {
    // Far more room than any of them needs.
    let mut packed = Vec::with_capacity(1 << 16);
    codec.push(text, &mut packed)?;
    codec.finish(&mut packed)?;
    Ok(packed)
}

/// Some bytes by which targets choose what they do, then a sample or two, damaged in up to four places.
fn input(samples: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input: Vec<u8> = (0..random.below(6)).map(|_| random.next() as u8).collect();
    for _ in 0..1 + random.below(2) {
        input.extend_from_slice(&samples[random.below(samples.len())]);
    }
    for _ in 0..random.below(5) {
        let at = random.below(input.len() + 1);
        match random.below(6) {
            0 => input.truncate(at),
            1 => input.insert(at, random.next() as u8),
            2 => drop(input.drain(at..(at + random.below(20)).min(input.len()))),
            3 => input.extend_from_within(at..(at + random.below(300)).min(input.len())),
            _ => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
    input
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}
