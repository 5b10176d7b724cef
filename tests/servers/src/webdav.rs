//! A directory served over WebDAV by rclone.

use std::{process::Command, sync::OnceLock};

use omnistorage::Config;

use crate::{
    ACCESS_KEY, SECRET_KEY, http,
    process::{Process, free_port},
    rclone, until, unused_prefix,
};

/// The server, and the settings for it.
#[derive(Debug)]
pub struct Webdav {
    /// `http://127.0.0.1:port`
    pub endpoint: String,
    _process: Process,
}

impl Webdav {
    /// The settings of a backend, below a directory that nobody else uses.
    #[must_use]
    pub fn config(&self) -> Config {
        let root = format!("/{}", unused_prefix());
        Config::from([("endpoint", &self.endpoint), ("root", &root)])
    }
}

/// rclone, serving a directory to everybody.
pub fn webdav() -> &'static Webdav {
    static SERVER: OnceLock<Webdav> = OnceLock::new();
    SERVER.get_or_init(|| start(&[], 200))
}

/// The same to [`ACCESS_KEY`] alone, whose password is [`SECRET_KEY`].
pub fn webdav_with_password() -> &'static Webdav {
    static SERVER: OnceLock<Webdav> = OnceLock::new();
    SERVER.get_or_init(|| start(&["--user", ACCESS_KEY, "--pass", SECRET_KEY], 401))
}

/// With more options; strangers get that answer.
fn start(options: &[&str], answer: u16) -> Webdav {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("data")).unwrap();
    let port = free_port(&[0]);
    let mut command = Command::new(rclone());
    command.args(["serve", "webdav", "--config", "/dev/null", "--no-unicode-normalization"]);
    command.args(["--addr", &format!("127.0.0.1:{port}")]).args(options).arg("data");
    let process = Process::start(command, directory);
    until("rclone does not serve WebDAV", || http::send(port, "GET", "/", "") == answer);
    Webdav { endpoint: format!("http://127.0.0.1:{port}"), _process: process }
}
