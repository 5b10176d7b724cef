//! Azurite: Azure Blob Storage in memory, with signatures.

use std::{process::Command, sync::OnceLock};

use omnistorage::Config;

use crate::{
    BUCKET, OTHER_BUCKET, at, http,
    process::{Process, free_port},
    rclone, target, until, unused_prefix,
};

/// The account that it knows, and its key, which everybody knows.
pub const AZURE_ACCOUNT: &str = "devstoreaccount1";
/// As [`AZURE_ACCOUNT`].
pub const AZURE_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The server, whose containers are [`BUCKET`] and [`OTHER_BUCKET`].
#[derive(Debug)]
pub struct Azurite {
    /// `http://127.0.0.1:port/account`
    pub endpoint: String,
    _process: Process,
}

impl Azurite {
    /// The settings of a backend, below a prefix that nobody else uses.
    #[must_use]
    pub fn config(&self) -> Config {
        self.config_below(&unused_prefix())
    }

    /// The settings of a backend, below that prefix.
    #[must_use]
    pub fn config_below(&self, prefix: &str) -> Config {
        Config::from([
            ("container", BUCKET),
            ("prefix", prefix),
            ("endpoint", &self.endpoint),
            ("account", AZURE_ACCOUNT),
            ("key", AZURE_KEY),
        ])
    }

    /// rclone with these arguments, and with the server as its remote `:azureblob:`.
    #[must_use]
    pub fn rclone(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(rclone());
        command.args(arguments).args(["--config", "/dev/null", "--retries", "1"]);
        command.args(["--azureblob-endpoint", &self.endpoint]);
        command.args(["--azureblob-account", AZURE_ACCOUNT, "--azureblob-key", AZURE_KEY]);
        command
    }
}

/// Azurite, from its npm package.
pub fn azurite() -> &'static Azurite {
    static SERVER: OnceLock<Azurite> = OnceLock::new();
    SERVER.get_or_init(|| {
        let directory = target().join("tools/azurite");
        let setup = concat!(env!("CARGO_MANIFEST_DIR"), "/azurite.sh");
        let done = Command::new("sh").arg(setup).arg(&directory).status().unwrap();
        assert!(done.success(), "Azurite cannot be installed: see above");
        let port = free_port(&[0]);
        let mut command = Command::new(directory.join("node_modules/.bin/azurite-blob"));
        command.args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string(), "--inMemoryPersistence"]);
        command.args(["--silent", "--disableTelemetry", "--skipApiVersionCheck"]);
        let process = Process::start(command, tempfile::tempdir().unwrap());
        let server = Azurite { endpoint: format!("{}/{AZURE_ACCOUNT}", at(port)), _process: process };
        // A container is made by a request that is signed, which rclone can.
        until("Azurite does not answer", || http::send(port, "GET", "/", "") > 0);
        for container in [BUCKET, OTHER_BUCKET] {
            let made = server.rclone(&["mkdir", &format!(":azureblob:{container}")]).output().unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        server
    })
}
