//! Removing the temporary files that dead writers left anywhere below a directory.

use std::{ffi::CString, time::Duration};

use omnistorage_types::Path;
use rustix::{fs::FileType, io::Errno};

use super::{
    chain::Chain,
    error::failure,
    names::for_each_entry,
    root::{Interrupt, Root, check_name},
    temporary::{self, Dead},
};
use crate::Result;

/// Removes temporary files that nobody has touched for this long, wherever they were made, and whose lock is free;
/// returns their number.
pub(super) fn sweep(root: &Root, prefix: &Path, older_than: Duration, interrupt: &Interrupt) -> Result<u64> {
    check_name(prefix)?;
    let top = match root.tree.entries(prefix.as_str()) {
        Ok(top) => top,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(0),
        Err(errno) => return Err(failure(errno, prefix)),
    };
    let mut chain = Chain::new(top);
    let mut swept = 0;
    // For each directory from the top to the current place: its subdirectories that are still to be visited.
    let mut levels = Vec::new();
    let mut walk = || {
        levels.push(sweep_directory(&chain, older_than, &mut swept)?);
        while let Some(directories) = levels.last_mut() {
            if interrupt.check(prefix).is_err() {
                return Err(Errno::CANCELED);
            }
            match directories.pop().map(|name| chain.descend(&*name)) {
                Some(Ok(())) => levels.push(sweep_directory(&chain, older_than, &mut swept)?),
                // It vanished, or became something else.
                Some(Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP)) => {}
                Some(Err(errno)) => return Err(errno),
                None => {
                    levels.pop();
                    if !levels.is_empty() {
                        chain.ascend()?;
                    }
                }
            }
        }
        Ok(())
    };
    let walked = walk();
    interrupt.check(prefix)?;
    walked.map_err(|errno| failure(errno, prefix))?;
    Ok(swept)
}

/// Sweeps the directory to which the chain went; returns its subdirectories.
fn sweep_directory(chain: &Chain, older_than: Duration, swept: &mut u64) -> Result<Vec<CString>, Errno> {
    let directory = chain.innermost()?;
    let (mut directories, mut temporaries) = (Vec::new(), Vec::new());
    for_each_entry(directory, |name, kind| {
        if kind == FileType::Directory {
            directories.push(CString::new(name).map_err(|_| Errno::INVAL)?);
        } else if temporary::is_name(name) {
            temporaries.push(name.to_owned());
        }
        Ok(())
    })?;
    for name in temporaries {
        *swept += u64::from(temporary::sweep(directory, &name, Dead::OlderThan(older_than)));
    }
    Ok(directories)
}
