//! What the memory rows rest on, each in a process of its own: in that of other tests their memory would count too.

use std::process::Command;

use anyhow::{Result, ensure};

/// How many are there at once.
const COUNT: u64 = 20;

/// What so many take together, by themselves and all in all; `None` where the system does not tell.
fn taken(row: &str) -> Result<Option<[u64; 2]>> {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_omnistorage-bench"));
    let told = bench.args([row, &COUNT.to_string()]).output()?;
    ensure!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told = String::from_utf8(told.stdout)?;
    let Some((own, resident)) = told.trim().split_once(' ') else {
        ensure!(told.is_empty(), "{told}");
        return Ok(None);
    };
    Ok(Some([own.parse()?, resident.parse()?]))
}

#[test]
fn a_sandbox_takes_memory_of_its_own() -> Result<()> {
    let Some([own, _]) = taken("memory-open")? else { return Ok(()) };
    assert!(own > COUNT * 4096, "{own}");
    Ok(())
}

#[test]
fn an_instance_takes_memory_of_its_own() -> Result<()> {
    let Some([own, resident]) = taken("memory-served")? else { return Ok(()) };
    assert!(own > COUNT * 4096 && resident >= own / 2, "{own} {resident}");
    Ok(())
}
