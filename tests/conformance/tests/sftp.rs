//! The backend of SFTP keeps its promises: on the sshd of OpenSSH, on one without what OpenSSH added to the protocol, and on
//! what rclone serves.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "without a server there is nothing to test")]

use std::{path::PathBuf, sync::Arc};

use omnistorage::{Backend, Path, SftpBackend};
use omnistorage_conformance::ROWS;
use omnistorage_test_servers::sftp::{Sftp, openssh, plain_openssh, rclone_sftp};

#[path = "sftp/faults.rs"]
mod faults;
#[path = "sftp/odd.rs"]
mod odd;
#[path = "sftp/scripted.rs"]
mod scripted;

/// Makes an empty backend on a server, if there is one: else one of memory stands in, and the server was told as left out.
fn on(server: Option<&'static Sftp>, replaces_in_one_step: bool) -> (Arc<dyn Backend>, PathBuf) {
    match server {
        Some(server) => {
            let (config, directory) = server.config_and_directory();
            // What is stronger than by default, once.
            let (fsync, atomic_write) = (replaces_in_one_step.to_string(), replaces_in_one_step.to_string());
            let config = config.with("fsync", fsync).with("atomic_write", atomic_write);
            (Arc::new(SftpBackend::from_config(config).unwrap()), directory)
        }
        None => (Arc::new(omnistorage::MemoryBackend::new()), PathBuf::new()),
    }
}

mod on_openssh {
    use super::*;

    async fn sftp() -> (Arc<dyn Backend>, PathBuf) {
        on(openssh(), true)
    }

    omnistorage_conformance::conformance_tests!(sftp);
}

mod on_plain_openssh {
    use super::*;

    async fn sftp() -> (Arc<dyn Backend>, PathBuf) {
        on(plain_openssh(), false)
    }

    omnistorage_conformance::conformance_tests!(sftp);
}

/// What rclone serves lies in a cache first, which takes names that the file system behind it does not: so that row is not
/// for it.
#[test]
fn every_other_row_holds_on_rclone() {
    const NOT_FOR_IT: &str = "names::names_too_long_are_refused";
    async fn sftp() -> (Arc<dyn Backend>, PathBuf) {
        let (backend, directory) = on(rclone_sftp(), false);
        // It does not see what is made behind its back.
        if rclone_sftp().is_some() {
            backend.mkdir(&Path::root()).await.unwrap();
        }
        (backend, directory)
    }
    let rows: Vec<_> = ROWS.iter().filter(|(name, _)| *name != NOT_FOR_IT).collect();
    assert_eq!(rows.len() + 1, ROWS.len());
    for some in rows.chunks(4) {
        std::thread::scope(|scope| {
            for (name, row) in some {
                let thread = std::thread::Builder::new().name((*name).to_owned());
                thread.spawn_scoped(scope, move || omnistorage_conformance::run(sftp, row)).unwrap();
            }
        });
    }
}
