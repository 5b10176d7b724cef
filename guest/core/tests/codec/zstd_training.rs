//! Training of dictionaries: as good as the reference's, and clear about what is too little.

use std::{fs, process::Command};

use omnistorage_core::codec::{
    CodecErrorKind, DecoderLimits, Dictionary,
    zstd::{self, fast, train::MIN_SAMPLES},
};

use crate::{
    drive::{Random, run, sample},
    zstd_dictionary::records,
};

fn cost(dictionary: &[u8], samples: &[&[u8]], level: i32) -> usize {
    let dictionary = Dictionary::new(dictionary.to_vec()).unwrap();
    let lengths = samples.iter().map(|sample| {
        let mut encoder = fast::encoder_with(&dictionary, Some(level)).unwrap();
        let (packed, result) = run(&mut *encoder, sample, 1 << 16, 1 << 16);
        assert_eq!(result, Ok(()));
        packed.len()
    });
    lengths.sum()
}

/// What `zstd --train` makes of the samples, if there is one.
fn reference(samples: &[&[u8]], size: usize) -> Option<Vec<u8>> {
    Command::new("zstd").arg("--version").output().ok()?;
    let directory = std::env::temp_dir().join(format!("omnistorage-training-{}-{size}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let mut train = Command::new("zstd");
    let trained = directory.join("dictionary");
    train.args(["-q", "--train", &format!("--maxdict={size}"), "-o"]).arg(&trained);
    for (number, sample) in samples.iter().enumerate() {
        let path = directory.join(number.to_string());
        fs::write(&path, sample).unwrap();
        train.arg(path);
    }
    assert!(train.output().unwrap().status.success());
    let trained = fs::read(trained).unwrap();
    fs::remove_dir_all(directory).unwrap();
    Some(trained)
}

#[test]
fn dictionaries_are_as_good_as_those_of_the_reference() {
    let records = records(1000);
    let lines: Vec<_> =
        include_str!("zstd_dictionary.rs").lines().chain(include_str!("gzip.rs").lines()).collect();
    let sources: Vec<Vec<u8>> = lines.chunks(8).map(|lines| lines.join("\n").into_bytes()).collect();
    for (samples, size) in [(&records, 112_640), (&records, 4096), (&sources, 8192)] {
        let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
        let trained = zstd::train(&samples, size).unwrap();
        assert!(trained.len() <= size && trained == zstd::train(&samples, size).unwrap());
        assert!(Dictionary::new(trained.clone()).unwrap().id().is_some_and(|id| id.get() >= 1 << 15));
        // The reference takes it, too.
        let mut theirs = ::zstd::bulk::Compressor::with_dictionary(3, &trained).unwrap();
        let packed = theirs.compress(samples[0]).unwrap();
        let dictionary = Dictionary::new(trained.clone()).unwrap();
        let mut decoder = fast::decoder_with(&dictionary, DecoderLimits::default());
        assert_eq!(run(&mut *decoder, &packed, 100, 1 << 16), (samples[0].to_vec(), Ok(())));
        let Some(reference) = reference(&samples, size) else {
            eprintln!("not compared: there is no zstd on the PATH");
            continue;
        };
        for level in [3, 19] {
            let (ours, theirs) = (cost(&trained, &samples, level), cost(&reference, &samples, level));
            assert!(ours * 100 <= theirs * 105, "{size}, level {level}: {ours} instead of {theirs}");
        }
    }
}

#[test]
fn too_little_is_refused() {
    let records = records(100);
    let samples: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    let tiny: Vec<&[u8]> = records.iter().map(|record| &record[..7]).collect();
    for (samples, size, what) in [
        (&samples[..MIN_SAMPLES - 1], 1024, "too few"),
        (&[], 1024, "too few"),
        (&tiny, 1024, "too few"),
        (&samples, 112_640, "together"),
        (&samples, 1000, "1024 to 4194304"),
        (&samples, usize::MAX, "1024 to 4194304"),
    ] {
        let error = zstd::train(samples, size).unwrap_err();
        assert_eq!(error.kind, CodecErrorKind::InvalidDictionary);
        assert!(error.message.contains(what), "{error}");
    }
}

/// Whatever the samples are: there is a dictionary that works, or an error.
#[test]
fn any_samples_are_trained_or_refused() {
    let mut random = Random(5);
    let noise: Vec<u8> = (0..20_000).map(|_| random.next() as u8).collect();
    let zeros = vec![0; 300_000];
    for contents in [&noise[..], &zeros, &sample(20_000)] {
        for length in [8, 9, 300, 2000] {
            let samples: Vec<&[u8]> = contents.chunks(length).collect();
            let Ok(trained) = zstd::train(&samples, 1024) else { continue };
            let dictionary = Dictionary::new(trained).unwrap();
            let mut encoder = fast::encoder_with(&dictionary, None).unwrap();
            let (packed, _) = run(&mut *encoder, samples[0], 1 << 16, 1 << 16);
            let mut decoder = fast::decoder_with(&dictionary, DecoderLimits::default());
            assert_eq!(run(&mut *decoder, &packed, 1 << 16, 1 << 16), (samples[0].to_vec(), Ok(())));
        }
    }
}
