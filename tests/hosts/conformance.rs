//! Each provider keeps what the interface promises, row by row, each in a process of its own.

use std::{ffi::OsString, path::Path, sync::Mutex, thread};

use crate::{
    shipped::plugged,
    stock::{granted, is_left_out, returned, wasmtime},
};

/// Processes at a time.
const THREADS: usize = 4;

/// Fewer would show that most were lost on the way.
const LEAST: usize = 80;

/// Runs every row on a backend of a provider, but for those that its store cannot keep. Each is granted what it needs
/// anew, perhaps an empty directory: there it leaves no temporary file behind, whatever it did.
pub(crate) fn every_row_holds(
    provider: &str,
    backend: &str,
    grant: impl Fn(&Path) -> Vec<[OsString; 2]> + Sync,
    but_for: &[&str],
) {
    if is_left_out() {
        return;
    }
    let suite = plugged("omnistorage-conformance-component", provider);
    let nowhere = tempfile::tempdir().unwrap();
    let rows = returned(&wasmtime(&suite, &grant(nowhere.path()), "rows()").output().unwrap());
    let rows = rows.split('"').skip(1).step_by(2).filter(|row| !but_for.contains(row));
    let rows: Vec<_> = rows.map(str::to_owned).collect();
    assert!(rows.len() > LEAST, "{rows:?}");
    let (rows, broken) = (Mutex::new(rows), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let Some(row) = rows.lock().unwrap().pop() else { break };
                    let scratch = tempfile::tempdir().unwrap();
                    let call = format!("check(\"{row}\",\"{backend}\")");
                    let output = wasmtime(&suite, &grant(scratch.path()), &call).output().unwrap();
                    if output.stdout != b"ok\n" || leftovers(scratch.path()) > 0 {
                        broken.lock().unwrap().push(format!("{row}: {output:?}"));
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Temporary files below a directory.
pub(crate) fn leftovers(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
    let count = entries.map(|entry| {
        if entry.file_type().unwrap().is_dir() {
            return leftovers(&entry.path());
        }
        usize::from(entry.file_name().to_string_lossy().starts_with(".omnistorage-"))
    });
    count.sum()
}

#[test]
fn files_keep_every_promise() {
    every_row_holds("omnistorage-provider-files", "data", |scratch| vec![granted(scratch, "data")], &[]);
}

#[test]
fn memory_keeps_every_promise() {
    every_row_holds("omnistorage-provider-memory", "memory", |_| Vec::new(), &[]);
}
