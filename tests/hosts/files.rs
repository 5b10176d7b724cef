//! An application over the library over directories.

use std::{collections::BTreeMap, fs, path::Path, process::Command, thread, time::Duration};

use crate::{
    conformance::leftovers,
    shipped::plugged,
    stock::{granted, is_left_out, returned, variable, wasmtime},
};

const APPLICATION: &str = "omnistorage-hosts-application";

/// The files below a directory: their contents and times, by path.
fn tree(directory: &Path) -> BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let path = entry.path();
        if path.is_dir() {
            files.extend(tree(&path).into_iter().map(|(below, file)| (format!("{name}/{below}"), file)));
        } else {
            files.insert(name, (fs::read(&path).unwrap(), path.metadata().unwrap().modified().unwrap()));
        }
    }
    files
}

/// Both backends are of one provider: what one reads, the other writes.
#[test]
fn two_directories_are_mirrored() {
    if is_left_out() {
        return;
    }
    let application = plugged(APPLICATION, "omnistorage-files");
    let [from, to] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    for number in 0..1000 {
        let directory = from.path().join(format!("{}", number % 10));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(format!("{number}")), number.to_string().repeat(number)).unwrap();
    }
    fs::write(to.path().join("extra"), "x").unwrap();
    let granted = [granted(from.path(), "from"), granted(to.path(), "/srv/to")];
    // A place may be written as one.
    for (target, expected) in [
        ("srv/to", "ok(\"1000 transferred, 1 deleted, 0 errors\")"),
        ("/srv/to", "ok(\"0 transferred, 0 deleted, 0 errors\")"),
    ] {
        let call = format!("mirror(\"from\",\"{target}\")");
        assert_eq!(returned(&wasmtime(&application, &granted, &call).output().unwrap()), expected);
        assert!(tree(from.path()) == tree(to.path()));
    }
}

/// A limit waits on the clock of the host.
#[test]
fn a_bandwidth_can_be_given() {
    if is_left_out() {
        return;
    }
    let application = plugged(APPLICATION, "omnistorage-files");
    let [from, to] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    fs::write(from.path().join("small"), "x").unwrap();
    fs::write(from.path().join("large"), vec![1; 1 << 20]).unwrap();
    let granted = [granted(from.path(), "from"), granted(to.path(), "to")];
    let call = "mirror-slowly(\"from\",\"to\",4194304)";
    let mirrored = wasmtime(&application, &granted, call).output().unwrap();
    assert_eq!(returned(&mirrored), "ok(\"2 transferred, 0 deleted, 0 errors\")");
    assert!(tree(from.path()) == tree(to.path()));
}

#[test]
fn what_was_not_granted_is_named() {
    if is_left_out() {
        return;
    }
    let application = plugged(APPLICATION, "omnistorage-files");
    let directory = tempfile::tempdir().unwrap();
    let granted = [
        granted(directory.path(), "here"),
        variable("OMNISTORAGE_ELSEWHERE_KIND", "file"),
        variable("OMNISTORAGE_ELSEWHERE_ROOT", "/srv/elsewhere"),
    ];
    for (target, expected) in [
        (
            "/there",
            "no backend `there` was granted, only elsewhere, here; to grant a directory, run the host with --dir DIRECTORY::there",
        ),
        (
            "elsewhere",
            "the host grants no directory `/srv/elsewhere`: run it with --dir DIRECTORY::/srv/elsewhere",
        ),
    ] {
        let call = format!("mirror(\"here\",\"{target}\")");
        let told = returned(&wasmtime(&application, &granted, &call).output().unwrap());
        assert!(told.starts_with("err(") && told.contains(expected), "{told}");
    }
}

/// A backend that variables describe has the settings that a native host knows.
#[test]
fn the_environment_describes_backends() {
    if is_left_out() {
        return;
    }
    let application = plugged(APPLICATION, "omnistorage-files");
    let [from, to] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    for path in ["a/b/c/object", "a/object", "object"] {
        let path = from.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    let granted = [
        granted(from.path(), "from"),
        granted(to.path(), "to"),
        variable("OMNISTORAGE_PART_KIND", "file"),
        variable("OMNISTORAGE_PART_ROOT", "/from/a"),
        variable("OMNISTORAGE_PART_PREFIX", "b"),
        variable("OMNISTORAGE_PART_READ_ONLY", "true"),
        // Of a backend whose name goes on where that of another ends, and not one of its settings.
        variable("OMNISTORAGE_PART_TWO_KIND", "file"),
        variable("OMNISTORAGE_PART_TWO_ROOT", "/from/a"),
        variable("OMNISTORAGE_PART_TWO_READ_ONLY", "true"),
    ];
    let mirror = |source: &str, target: &str| {
        let call = format!("mirror(\"{source}\",\"{target}\")");
        returned(&wasmtime(&application, &granted, &call).output().unwrap())
    };
    assert_eq!(mirror("part", "to"), "ok(\"1 transferred, 0 deleted, 0 errors\")");
    assert_eq!(tree(to.path()).into_keys().collect::<Vec<_>>(), ["c/object"]);
    let before = tree(from.path());
    assert!(mirror("to", "part_two").contains("errors"));
    assert!(tree(from.path()) == before, "a backend for reading alone was written");
}

/// The bytes of a writer that is killed are never seen, and what it left goes on request.
#[test]
fn a_killed_writer_leaves_the_old_object() {
    if is_left_out() {
        return;
    }
    let application = plugged(APPLICATION, "omnistorage-files");
    let directory = tempfile::tempdir().unwrap();
    let granted = [granted(directory.path(), "data")];
    let object = directory.path().join("object");
    fs::write(&object, "old").unwrap();
    let mut writer = wasmtime(&application, &granted, "write-slowly(\"data\",\"object\")").spawn().unwrap();
    while leftovers(directory.path()) == 0 {
        assert!(writer.try_wait().unwrap().is_none(), "it ended before it was killed");
        thread::sleep(Duration::from_millis(10));
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    assert_eq!(fs::read_to_string(&object).unwrap(), "old");
    assert_eq!(leftovers(directory.path()), 1);
    let swept = wasmtime(&application, &granted, "sweep(\"data\")").output().unwrap();
    assert_eq!(returned(&swept), "ok(\"1 swept\")");
    assert_eq!(leftovers(directory.path()), 0);
    assert_eq!(fs::read_to_string(&object).unwrap(), "old");
}

/// Neither links nor pipes lead anywhere, and neither blocks: they are told of, and the rest goes on.
#[cfg(unix)]
#[test]
fn links_and_pipes_lead_nowhere() {
    use std::os::unix::fs::symlink;

    if is_left_out() {
        return;
    }
    let application = plugged(APPLICATION, "omnistorage-files");
    let [from, to, outside] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    fs::create_dir_all(from.path().join("dir/link")).unwrap();
    fs::create_dir(to.path().join("dir")).unwrap();
    fs::write(from.path().join("dir/link/object"), "x").unwrap();
    fs::write(from.path().join("dir/object"), "x").unwrap();
    symlink(outside.path(), to.path().join("dir/link")).unwrap();
    symlink("dir", from.path().join("inside")).unwrap();
    let made = Command::new("mkfifo").arg(from.path().join("pipe")).status().unwrap();
    assert!(made.success());
    let granted = [
        granted(from.path(), "from"),
        granted(to.path(), "to"),
        variable("OMNISTORAGE_LINK_KIND", "file"),
        variable("OMNISTORAGE_LINK_ROOT", "/from/inside"),
        variable("OMNISTORAGE_PIPE_KIND", "file"),
        variable("OMNISTORAGE_PIPE_ROOT", "/from/pipe"),
    ];
    let mirror = |source: &str| {
        let call = format!("mirror(\"{source}\",\"to\")");
        returned(&wasmtime(&application, &granted, &call).output().unwrap())
    };
    let told = mirror("link");
    assert!(told.contains("a symbolic link, which the file backend does not follow"), "{told}");
    let told = mirror("pipe");
    assert!(told.starts_with("err(") || told.starts_with("ok(\"0 transferred"), "{told}");
    let told = mirror("from");
    assert!(told.contains("1 transferred, 0 deleted"), "{told}");
    assert_eq!(fs::read_to_string(to.path().join("dir/object")).unwrap(), "x");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0, "a link led out");
}
