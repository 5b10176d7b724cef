//! Zstd data whose window is large.

use std::{ffi::OsStr, fs, io::Write, path::Path};

use crate::{
    command::{Run, command, pair, run, run_with},
    tree::Scratch,
};

/// Compressed as `zstd --long=LOG` does it: its length is not told, so that the window is what counts.
fn pack(log: u32, contents: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(log).unwrap();
    encoder.long_distance_matching(true).unwrap();
    contents.into_iter().for_each(|part| encoder.write_all(&part).unwrap());
    encoder.finish().unwrap()
}

/// Runs it on a file.
fn run_on(words: &[&str], path: &Path) -> Run {
    run(words.iter().map(OsStr::new).chain([path.as_os_str()]))
}

/// A frame with that window descriptor and an empty block.
fn empty(descriptor: u8) -> Vec<u8> {
    [b"\x28\xb5\x2f\xfd\0", &[descriptor][..], b"\x01\0\0"].concat()
}

#[test]
fn windows_of_128_mib_are_read_unasked() {
    let scratch = Scratch::new();
    // More than the window, which goes round then.
    let line = format!("{{\"text\":\"{}\"}}\n", "some words ".repeat(90));
    let (lines, part) = (140, 1000);
    let packed = pack(27, (0..lines).map(|_| line.repeat(part).into_bytes()));
    let packed = scratch.write("a.ndjson.zst", &packed);
    let counted = run_on(&["records", "count"], &packed).ok();
    assert_eq!(counted.text(), format!("{}\n", lines * part));
    let csv = scratch.path("a.csv.gz");
    pair("records", "convert".as_ref(), &packed, &[csv.to_str().unwrap(), "--level", "1"]).ok();
    let whole = run_on(&["cat", "--decompress"], &packed).ok();
    assert_eq!(whole.stdout.len(), line.len() * lines * part);
    assert!(whole.stdout.chunks(line.len()).all(|chunk| chunk == line.as_bytes()));
    let target = scratch.path("out");
    pair("copy", &packed, &target, &["--decompress"]).ok();
    assert_eq!(fs::metadata(target.join("a.ndjson")).unwrap().len(), (line.len() * lines * part) as u64);

    // From standard input as from a file.
    let piped = run_with(&fs::read(&packed).unwrap(), &mut command(["cat", "--decompress", "-"])).ok();
    assert!(piped.stdout == whole.stdout);
}

#[test]
fn beyond_the_limit_the_option_is_named() {
    let scratch = Scratch::new();
    let large = scratch.write("a.ndjson.zst", pack(27, [b"1\n".to_vec()]));
    let beyond = scratch.write("b.ndjson.zst", empty(21 << 3));
    let cat = |path: &Path, options: &[&str]| run_on(&[&["cat", "--decompress"], options].concat(), path);
    assert_eq!(cat(&large, &[]).ok().text(), "1\n");
    cat(&large, &["--max-window", "8M"])
        .fails(6, &["a.ndjson.zst`", "134217728", "`--max-window` is 8388608"]);
    cat(&beyond, &[]).fails(6, &["b.ndjson.zst`", "2147483648", "`--max-window`", "134217728 at most"]);
    for (path, options, words) in [
        (&large, &["--max-window", "64M"][..], "`--max-window` is 67108864"),
        (&beyond, &[], "134217728 at most"),
    ] {
        pair("records", "count".as_ref(), path, options).fails(6, &["ndjson.zst`", "`--max-window`", words]);
        let target = scratch.path("out");
        let copied = pair("copy", path, &target, &[&["--decompress", "-q"], options].concat());
        copied.fails(6, &["ndjson.zst`", "`--max-window`", words]);
        assert!(!target.join("a.ndjson").exists() && !target.join("b.ndjson").exists());
    }
    assert_eq!(cat(&large, &["--max-window", "129M"]).code, Some(2));
    assert_eq!(run_on(&["cat", "--max-window=1M"], &large).code, Some(2));
}

#[test]
fn many_large_windows_at_once_fit_into_memory() {
    let scratch = Scratch::new();
    let (packed, plain) = (scratch.path("packed"), scratch.path("plain"));
    fs::create_dir(&packed).unwrap();
    for n in 0..24 {
        let contents = format!("{n} ").repeat(500_000).into_bytes();
        let log = if n % 4 == 0 { 22 } else { 27 };
        fs::write(packed.join(format!("{n}.zst")), pack(log, [contents])).unwrap();
    }
    pair("sync", &packed, &plain, &["--decompress", "--transfers", "24"]).ok();
    for n in 0..24 {
        assert!(fs::read_to_string(plain.join(n.to_string())).unwrap() == format!("{n} ").repeat(500_000));
    }
    pair("check", &packed, &plain, &["--decompress", "--checkers", "24"]).ok();
    // The largest levels take as much.
    let again = scratch.path("again");
    pair("sync", &plain, &again, &["--compress", "zstd:19", "--transfers", "24"]).ok();
    assert_eq!(fs::read_dir(again).unwrap().count(), 24);
}
