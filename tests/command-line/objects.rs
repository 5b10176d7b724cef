//! The commands on single objects, and listings.

use std::{fs, os::unix::fs::symlink, process::Command};

use crate::{
    command::{assert_golden, command, run, run_with},
    tree::{ODD_NAMES, Scratch, bytes, debris},
};

#[test]
fn bytes_go_in_and_come_out() {
    let scratch = Scratch::new();
    let target = scratch.path("new/directory/object");
    let contents = bytes(7, 1 << 20);
    run_with(&contents, command(["put"]).arg(&target)).ok();
    assert!(fs::read(&target).unwrap() == contents);
    assert!(run_with(b"", command(["cat"]).arg(&target)).ok().stdout == contents);
    let part = run_with(b"", command(["cat", "--offset", "1000", "--length", "10"]).arg(&target)).ok().stdout;
    assert_eq!(part, contents[1000..1010]);
    let url = format!("file://{}", target.display());
    assert!(run(["cat", &url]).ok().stdout == contents);
    run_with(b"", command(["put"]).arg(&target)).ok();
    assert_eq!(fs::read(&target).unwrap(), b"");
}

#[test]
fn several_cores_make_what_gzip_reads() {
    let scratch = Scratch::new();
    let packed = scratch.path("packed.gz");
    let contents = "All work and no play. ".repeat(200_000).into_bytes();
    run_with(&contents, command(["put", "--compress", "gzip:1", "--cores", "2"]).arg(&packed)).ok();
    let unpacked = Command::new("gzip").arg("-dc").arg(&packed).output().unwrap();
    assert!(unpacked.status.success() && unpacked.stdout == contents);
    assert!(run_with(b"", command(["cat", "--decompress"]).arg(&packed)).ok().stdout == contents);
}

#[test]
fn gzip_reads_what_we_write_and_we_read_what_gzip_writes() {
    let scratch = Scratch::new();
    let (ours, theirs) = (scratch.path("ours.gz"), scratch.path("theirs.gz"));
    let contents = "All work and no play. ".repeat(20_000).into_bytes();
    run_with(&contents, command(["put", "--compress", "gzip:9"]).arg(&ours)).ok();
    assert!(fs::metadata(&ours).unwrap().len() < contents.len() as u64 / 20);
    let unpacked = run_with(&fs::read(&ours).unwrap(), Command::new("gzip").arg("-dc")).ok();
    assert!(unpacked.stdout == contents);

    let packed = run_with(&contents, Command::new("gzip").arg("-1c")).ok().stdout;
    fs::write(&theirs, &packed).unwrap();
    assert!(run_with(b"", command(["cat", "--decompress"]).arg(&theirs)).ok().stdout == contents);
    fs::write(&theirs, &packed[..packed.len() - 5]).unwrap();
    let cut = run_with(b"", command(["cat", "--decompress"]).arg(&theirs));
    assert_eq!(cut.code, Some(6), "{}", cut.stderr);
    cut.says(&["theirs.gz"]);
}

#[test]
fn each_codec_writes_what_its_first_bytes_tell_again() {
    let scratch = Scratch::new();
    let (packed, contents) = (scratch.path("packed"), b"All work and no play. ".repeat(20_000));
    for codec in ["gzip", "zstd", "zstd:22", "zstd:-1", "zst", "snappy", "sz", "lz4"] {
        run_with(&contents, command(["put", "--compress", codec]).arg(&packed)).ok();
        assert!(fs::metadata(&packed).unwrap().len() < contents.len() as u64 / 10, "{codec}");
        assert!(
            run_with(b"", command(["cat", "--decompress"]).arg(&packed)).ok().stdout == contents,
            "{codec}"
        );
    }
    fs::write(&packed, b"plain").unwrap();
    let plain = run_with(b"", command(["cat", "--decompress"]).arg(&packed));
    assert_eq!(plain.code, Some(6), "{}", plain.stderr);
    plain.says(&["no known compression", "gzip, zstd, snappy, lz4"]);
}

#[test]
fn listings_are_sorted_and_complete() {
    let scratch = Scratch::new();
    for path in ["b", "a/x", "a-b", "a.txt", "c/d/e"] {
        scratch.write(&format!("t/{path}"), "1");
    }
    symlink("b", scratch.path("t/link")).unwrap();
    let root = scratch.path("t");
    let ls = |options: &[&str]| run_with(b"", command(["ls"]).args(options).arg(&root)).ok();
    assert_eq!(ls(&[]).lines(), ["a/", "a-b", "a.txt", "b", "c/"]);
    assert_eq!(ls(&["-r"]).lines(), ["a-b", "a.txt", "a/x", "b", "c/d/e"]);
    assert_golden("ls.jsonl", &ls(&["-r", "--json"]));
    assert!(ls(&["-v"]).stderr.contains("`link` (symlink)"));
}

#[test]
fn odd_names_are_kept() {
    let scratch = Scratch::new();
    for name in ODD_NAMES {
        let path = scratch.path("t").join(name);
        run_with(name.as_bytes(), command(["put", "--"]).arg(&path)).ok();
    }
    let listed = run_with(b"", command(["ls", "--json"]).arg(scratch.path("t"))).ok().json();
    let mut names: Vec<_> = listed.iter().map(|entry| entry["path"].as_str().unwrap()).collect();
    let mut expected = ODD_NAMES.to_vec();
    expected.sort_unstable();
    assert_eq!(names, expected);
    names.retain(|name| fs::read(scratch.path("t").join(name)).unwrap() != name.as_bytes());
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn what_is_known_is_told() {
    let scratch = Scratch::new();
    let file = scratch.write("a", "12345");
    fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH + std::time::Duration::new(951_782_400, 5))
        .unwrap();
    let stat = &run_with(b"", command(["stat", "--json"]).arg(&file)).ok().json()[0];
    assert_eq!((&stat["size"], &stat["kind"]), (&5.into(), &"object".into()));
    assert_eq!(stat["modified"], "2000-02-29T00:00:00.000000005Z");
    assert_eq!(stat["path"], file.to_str().unwrap());
    let text = run_with(b"", command(["stat"]).arg(&file)).ok();
    assert!(text.lines().contains(&"size:         5"), "{}", text.text());
    let features = run_with(b"", command(["features"]).arg(&file)).ok();
    assert!(features.lines().contains(&"atomic-write"), "{}", features.text());
}

#[test]
fn checksums_are_those_of_sha256sum() {
    let scratch = Scratch::new();
    let root = scratch.odd_tree("t");
    let sums = run_with(b"", command(["hash", "sha256"]).arg(&root)).ok().stdout;
    let checked =
        run_with(&sums, Command::new("sha256sum").args(["--check", "--strict"]).current_dir(&root)).ok();
    assert_eq!(checked.lines().len(), crate::tree::contents(&root).len());
    let one = run_with(b"", command(["hash", "md5"]).arg(root.join("empty"))).ok();
    assert_eq!(one.text(), format!("d41d8cd98f00b204e9800998ecf8427e  {}\n", root.join("empty").display()));
}

#[test]
fn things_are_made_and_removed() {
    let scratch = Scratch::new();
    let (deep, top) = (scratch.path("a/b"), scratch.path("a"));
    run_with(b"", command(["mkdir"]).arg(&deep)).ok();
    assert!(deep.is_dir());
    run_with(b"", command(["rmdir"]).arg(&top)).fails(6, &["a`", "entries"]);
    scratch.write("a/b/c", "1");
    run_with(b"", command(["rm"]).arg(&deep)).fails(6, &["a/b`"]);
    run_with(b"", command(["rm"]).arg(deep.join("c"))).ok();
    run_with(b"", command(["rmdir"]).arg(&deep)).ok();
    assert!(!deep.exists());
    scratch.write("a/x/y/z", "1");
    symlink("/", scratch.path("a/link")).unwrap();
    run_with(b"", command(["rm", "-r"]).arg(&top)).ok();
    assert!(!top.exists());
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let scratch = Scratch::new();
    let file = scratch.write("large", bytes(1, 4 << 20));
    let script = format!(
        "'{}' cat '{}' | head -c 10 > /dev/null; exit ${{PIPESTATUS[0]}}",
        crate::command::BINARY,
        file.display()
    );
    let run = run_with(b"", Command::new("bash").args(["-c", &script]));
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(debris(&scratch.path("")).len(), 0);
}

#[test]
fn memory_lasts_as_long_as_the_command() {
    let scratch = Scratch::new();
    scratch.write("t/a", "1");
    run_with(b"", command(["sync"]).arg(scratch.path("t")).arg("memory:t")).ok();
    run(["ls", "memory:"]).ok();
    assert!(run(["completions", "bash"]).ok().text().contains("omnistorage"));
    let backends = run(["backends"]).ok();
    // Which services of OpenDAL there are is for the features of the build.
    let own: Vec<_> = backends.lines().into_iter().filter(|kind| *kind != "opendal").collect();
    assert_eq!(own, ["azblob", "channel", "file", "gcs", "http", "memory", "s3", "sftp", "webdav"]);
}

#[test]
fn a_dash_is_standard_input_or_output_where_one_object_is() {
    let scratch = Scratch::new();
    let text = "some text, ".repeat(50_000);
    let packed = run_with(text.as_bytes(), &mut command(["put", "--compress", "zstd:1", "-"])).ok();
    assert!(packed.stdout.starts_with(b"\x28\xb5\x2f\xfd"));
    let unpacked = run_with(&packed.stdout, &mut command(["cat", "--decompress", "-"])).ok();
    assert!(unpacked.text() == text);
    let part = run_with(text.as_bytes(), &mut command(["cat", "--offset", "11", "--length", "4", "-"])).ok();
    assert_eq!(part.text(), "some");
    let rest = run_with(text.as_bytes(), &mut command(["cat", "--offset", "549995", "-"])).ok();
    assert_eq!(rest.text(), &text[549_995..]);
    assert_eq!(run_with(b"short", &mut command(["cat", "--offset", "9", "-"])).ok().text(), "");
    let hash = run_with(b"123456789", &mut command(["hash", "crc32c", "-"])).ok();
    assert_eq!(hash.text(), "e3069283  -\n");
    // A tree is more than one object.
    for arguments in [["ls", "-", ""], ["copy", "-", scratch.path("x").to_str().unwrap()]] {
        let arguments = arguments.into_iter().filter(|argument| !argument.is_empty());
        assert_eq!(run_with(b"", &mut command(arguments)).code, Some(2));
    }
}
