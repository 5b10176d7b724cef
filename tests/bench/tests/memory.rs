//! What the memory rows rest on, each in a process of its own: in that of other tests their memory would count too.

use std::process::Command;

/// How many are there at once.
const COUNT: u64 = 20;

/// What so many take together, by themselves and all in all; `None` where the system does not tell.
fn taken(row: &str) -> Option<[u64; 2]> {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_omnistorage-bench"));
    let told = bench.args([row, &COUNT.to_string()]).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told = String::from_utf8(told.stdout).unwrap();
    let (own, resident) = told.trim().split_once(' ')?;
    Some([own.parse().unwrap(), resident.parse().unwrap()])
}

#[test]
fn a_sandbox_takes_memory_of_its_own() {
    let Some([own, _]) = taken("memory-open") else { return };
    assert!(own > COUNT * 4096, "{own}");
}

#[test]
fn an_instance_takes_memory_of_its_own() {
    let Some([own, resident]) = taken("memory-served") else { return };
    assert!(own > COUNT * 4096 && resident >= own / 2, "{own} {resident}");
}
