//! Dictionaries of zstd, from the command line.

use std::{ffi::OsStr, fs, path::Path, process::Command};

use crate::{
    command::{Run, command, pair, run, run_with},
    tree::Scratch,
};

/// What all of the objects have in common; it is no trained dictionary, but content alone.
const SHARED: &str =
    r#"{"status": "shipped", "customer": {"name": "Ada", "city": "Oslo"}, "currency": "EUR", "total": "#;

fn with(words: &[&str], dictionary: &Path, places: &[&Path]) -> Run {
    let words = words.iter().map(OsStr::new).chain([OsStr::new("--dictionary"), dictionary.as_os_str()]);
    run(words.chain(places.iter().map(|place| place.as_os_str())))
}

fn put(path: &Path, dictionary: &Path, options: &[&str]) -> Run {
    let mut put = command(["put", "--compress", "zstd:19"]);
    put.arg("--dictionary").arg(dictionary).args(options).arg(path);
    run_with(format!("{SHARED}7}}\n").as_bytes(), &mut put)
}

#[test]
fn objects_are_compressed_with_what_they_have_in_common() {
    let scratch = Scratch::new();
    let dictionary = scratch.write("dictionary", SHARED);
    let packed = scratch.path("a.ndjson.zst");
    for cores in ["1", "2"] {
        put(&packed, &dictionary, &["--cores", cores]).ok();
        assert!(fs::metadata(&packed).unwrap().len() < 30);
        let read = with(&["cat", "--decompress"], &dictionary, &[&packed]).ok();
        assert_eq!(read.text(), format!("{SHARED}7}}\n"));
        let read = with(&["head", "--decompress"], &dictionary, &[&packed]).ok();
        assert_eq!(read.text(), format!("{SHARED}7}}\n"));
        run([OsStr::new("cat"), "--decompress".as_ref(), packed.as_ref()]).fails(6, &["a.ndjson.zst`"]);
    }
    assert_eq!(with(&["records", "count"], &dictionary, &[&packed]).ok().text(), "1\n");
    let converted = scratch.path("b.ndjson.zst");
    with(&["records", "convert", "-q"], &dictionary, &[&packed, &converted]).ok();
    assert!(fs::metadata(&converted).unwrap().len() < 30);
    let plain = scratch.path("c.ndjson");
    with(&["records", "convert", "-q"], &dictionary, &[&converted, &plain]).ok();
    assert_eq!(fs::read_to_string(plain).unwrap(), format!("{SHARED}7}}\n"));
}

#[test]
fn trees_are_compressed_with_what_they_have_in_common() {
    let scratch = Scratch::new();
    let dictionary = scratch.write("dictionary", SHARED);
    let [source, packed, back] = ["source", "packed", "back"].map(|name| scratch.path(name));
    fs::create_dir(&source).unwrap();
    for n in 0..20 {
        fs::write(source.join(n.to_string()), format!("{SHARED}{n}}}")).unwrap();
    }
    let options = ["--dictionary", dictionary.to_str().unwrap()];
    pair("sync", &source, &packed, &[&["--compress", "zstd"], &options[..]].concat()).ok();
    let sizes = fs::read_dir(&packed).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
    assert!(sizes.sum::<u64>() < 20 * 35);
    pair("check", &source, &packed, &[&["--compress", "zstd", "--checksum"], &options[..]].concat()).ok();
    pair("copy", &packed, &back, &[&["--decompress"], &options[..]].concat()).ok();
    assert_eq!(fs::read_to_string(back.join("3")).unwrap(), format!("{SHARED}3}}"));
    // Without it, that much is noticed.
    let unread = pair("copy", &packed, &scratch.path("other"), &["--decompress", "-q", "--retries", "1"]);
    assert_ne!(unread.code, Some(0), "{unread:?}");
}

#[test]
fn a_dictionary_is_a_file_for_zstd() {
    let scratch = Scratch::new();
    let (dictionary, packed) = (scratch.write("dictionary", SHARED), scratch.path("a.gz"));
    let options = ["--dictionary", dictionary.to_str().unwrap()];
    let gzip = ["put", "--compress", "gzip", options[0], options[1], packed.to_str().unwrap()];
    run_with(b"text", &mut command(gzip)).fails(2, &["--dictionary", "gzip"]);
    pair("sync", &scratch.path("a"), &packed, &[&["--compress", "lz4"], &options[..]].concat())
        .fails(2, &["--dictionary", "lz4"]);
    let plain = scratch.write("b.ndjson.gz", "");
    with(&["records", "count"], &dictionary, &[&plain]).fails(2, &["--dictionary", "zstd"]);
    assert_eq!(with(&["cat"], &dictionary, &[&plain]).code, Some(2), "it needs --decompress");

    let missing = scratch.path("missing");
    put(&scratch.path("c.zst"), &missing, &[]).fails(2, &["missing`", "cannot read the dictionary"]);
    let long = scratch.write("long", vec![b'x'; (4 << 20) + 1]);
    put(&scratch.path("c.zst"), &long, &[]).fails(2, &["long`", "more than 4 MiB"]);
    let empty = scratch.write("empty", "");
    put(&scratch.path("c.zst"), &empty, &[]).fails_with(2, &["0"]);
    let broken = scratch.write("broken", b"\x37\xa4\x30\xec and no tables");
    put(&scratch.path("c.zst"), &broken, &[]).fails_with(2, &["dictionary is damaged"]);
    assert!(!scratch.path("c.zst").exists());
}

#[test]
fn a_dictionary_is_trained_of_objects() {
    let scratch = Scratch::new();
    let source = scratch.path("source");
    fs::create_dir_all(source.join("below")).unwrap();
    for n in 0..300 {
        let directory = if n % 2 == 0 { source.join("below") } else { source.clone() };
        fs::write(directory.join(n.to_string()), format!("{SHARED}{}, \"id\": {n}}}", n * 7919 % 1000))
            .unwrap();
    }
    let trained = scratch.path("trained");
    let train = |options: &[&str], output: &Path| {
        let words = ["dictionary", "train", "-o", output.to_str().unwrap()];
        run(words.iter().chain(options).map(OsStr::new).chain([source.as_os_str()]))
    };
    let run = train(&["--size", "2K"], &trained).ok();
    assert!(run.stderr.contains("from 300 objects"), "{}", run.stderr);
    let bytes = fs::read(&trained).unwrap();
    assert!(bytes.starts_with(b"\x37\xa4\x30\xec") && bytes.len() <= 2048);

    let packed = scratch.path("packed");
    let options = ["--compress", "zstd", "--dictionary", trained.to_str().unwrap()];
    pair("sync", &source, &packed, &options).ok();
    let [plain, with] =
        [source.join("3"), packed.join("3.zst")].map(|path| fs::metadata(path).unwrap().len());
    assert!(with * 3 < plain, "{with} of {plain}");
    if let Ok(read) = Command::new("zstd").arg("-dcD").arg(&trained).arg(packed.join("3.zst")).output() {
        assert_eq!(read.stdout, fs::read(source.join("3")).unwrap());
    }

    // Too little, and a place for it that there is not.
    train(&[], &scratch.path("other")).fails(2, &["the samples have", "112640"]);
    train(&["--size", "2K", "--max-size", "1B"], &scratch.path("other")).fails(2, &["too few"]);
    train(&["--size", "100B"], &scratch.path("other")).fails(2, &["1024"]);
    assert!(!scratch.path("other").exists());
    assert_ne!(train(&["--size", "2K"], &scratch.path("no/other")).code, Some(0));
}
