//! Object stores on loopback, for tests: SeaweedFS and moto, which both speak S3, fake-gcs-server, which speaks the
//! protocol of Google Cloud Storage, and Azurite, which speaks Azure's. A [store of our own](gcs) does of the latter what that one cannot.
//!
//! A server starts at its first use, on free ports, and lives as long as the process that started it: when that ends,
//! however it ends, a shell that waits for it ends the server by its process id.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "without a server there is no test"
)]

mod azurite;
pub mod canary;
pub mod faults;
pub mod gcs;
mod http;
mod line;
mod nats;
mod numbered;
pub mod odd;
mod process;
mod proxy;
#[cfg(unix)]
pub mod sftp;
mod web;
mod webdav;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use omnistorage::Config;

use self::process::{Process, free_port};
pub use self::{
    azurite::{AZURE_ACCOUNT, AZURE_KEY, Azurite, azurite},
    line::Line,
    nats::Nats,
    numbered::{Numbered, numbered_name},
    proxy::{Canned, Fault, Proxy, Request},
    web::{Web, nginx, python_web},
    webdav::{Webdav, webdav, webdav_with_password},
};

/// The bucket that every server has.
pub const BUCKET: &str = "omnistorage-test";
/// Another one, of the stores of Google Cloud Storage.
pub const OTHER_BUCKET: &str = "omnistorage-other";
/// The credentials that SeaweedFS knows.
pub const ACCESS_KEY: &str = "AKtest";
/// As [`ACCESS_KEY`].
pub const SECRET_KEY: &str = "SKtestsecret";

/// A server takes no longer to start, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    /// `http://127.0.0.1:port`
    pub endpoint: String,
    _process: Process,
}

impl Server {
    /// The settings of a backend of S3, below a prefix that nobody else uses.
    #[must_use]
    pub fn config(&self) -> Config {
        self.config_below(&unused_prefix())
    }

    /// The settings of a backend of S3, below that prefix.
    #[must_use]
    pub fn config_below(&self, prefix: &str) -> Config {
        let config = Config::new()
            .with("bucket", BUCKET)
            .with("prefix", prefix)
            .with("endpoint", &self.endpoint)
            .with("instance_metadata", "false");
        config
            .with("region", "us-east-1")
            .with("access_key_id", ACCESS_KEY)
            .with("secret_access_key", SECRET_KEY)
    }

    /// The same, and that prefix.
    #[must_use]
    pub fn config_and_prefix(&self) -> (Config, String) {
        let prefix = unused_prefix();
        (self.config_below(&prefix), prefix)
    }

    /// Puts an object into the bucket of a server that asks for no signature, by a key that need not be a path.
    pub fn put(&self, key: &str, contents: &str) {
        let port = self.endpoint.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap();
        let stored = http::send(port, "PUT", &format!("/{BUCKET}/{key}"), contents);
        assert_eq!(stored, 200, "{key}");
    }

    /// The settings of a backend of Google Cloud Storage, below a prefix that nobody else uses.
    #[must_use]
    pub fn gcs_config(&self) -> Config {
        self.gcs_config_below(&unused_prefix())
    }

    /// The settings of a backend of Google Cloud Storage, below that prefix.
    #[must_use]
    pub fn gcs_config_below(&self, prefix: &str) -> Config {
        gcs::config(&self.endpoint, prefix)
    }

    /// Waits until an object can be stored: a port that is open is not enough.
    fn wait(self, path: &str, prepare: impl Fn(&Self) -> bool) -> Self {
        until(&format!("{} does not store anything at {path}", self.endpoint), || prepare(&self));
        self
    }
}

/// SeaweedFS: S3 with signatures.
pub fn weed() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let identities = format!(
            "{{\"identities\":[{{\"name\":\"test\",\"credentials\":[{{\"accessKey\":\"{ACCESS_KEY}\",\
             \"secretKey\":\"{SECRET_KEY}\"}}],\"actions\":[\"Admin\",\"Read\",\"Write\",\"List\",\"Tagging\"]}}]}}"
        );
        std::fs::write(directory.path().join("s3.json"), identities).unwrap();
        std::fs::create_dir(directory.path().join("data")).unwrap();
        // Each of these ports takes the one 10000 above it too.
        let port = free_port(&[0, 1, 2, 3, 4, 5, 10_000, 10_001, 10_002, 10_003, 10_004]);
        let filer = port + 3;
        let mut command = Command::new(tools().join("bin/weed"));
        command.args(["mini", "-dir=data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-metricsIp=127.0.0.1"]);
        command.args(["-master.telemetry=false", "-admin.ui=false", "-webdav=false", "-s3.port.iceberg=0"]);
        command.args(["-s3.config=s3.json".to_owned(), format!("-s3.port={port}")]);
        command.args([format!("-master.port={}", port + 1), format!("-volume.port={}", port + 2)]);
        command.args([format!("-filer.port={filer}"), format!("-admin.port={}", port + 4)]);
        command.arg(format!("-s3.port.lance={}", port + 5));
        let server = Server { endpoint: at(port), _process: Process::start(command, directory) };
        // A bucket is a directory of the filer, which asks for no signature.
        server.wait(BUCKET, |_| {
            let object = format!("/buckets/{BUCKET}/ready/ready");
            http::send(filer, "PUT", &object, "ready") == 201
                && http::send(filer, "DELETE", &format!("/buckets/{BUCKET}/ready?recursive=true"), "") == 204
                && http::send(port, "GET", "/", "") > 0
        })
    })
}

/// moto: S3 with any key, and without a look at signatures.
pub fn moto() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let port = free_port(&[0]);
        let mut command = Command::new(tools().join("bin/moto_server"));
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let process = Process::start(command, tempfile::tempdir().unwrap());
        let server = Server { endpoint: at(port), _process: process };
        server.wait(BUCKET, |_| http::send(port, "PUT", &format!("/{BUCKET}"), "") == 200)
    })
}

/// fake-gcs-server: Google Cloud Storage in memory, without credentials.
pub fn fake_gcs() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let port = free_port(&[0]);
        let mut command = Command::new(program("fake-gcs-server-"));
        command.args(["-scheme", "http", "-host", "127.0.0.1", "-port", &port.to_string()]);
        command.args(["-backend", "memory", "-log-level", "warn", "-external-url", &at(port)]);
        command.args(["-public-host", &format!("127.0.0.1:{port}")]);
        let process = Process::start(command, tempfile::tempdir().unwrap());
        let server = Server { endpoint: at(port), _process: process };
        let bucket = |name: &str| {
            let body = format!("{{\"name\":\"{name}\"}}");
            http::send(port, "POST", "/storage/v1/b?project=test", &body) == 200
        };
        server.wait(BUCKET, |_| bucket(BUCKET) && bucket(OTHER_BUCKET))
    })
}

/// A program that a Python package brings along, by the beginning of its name.
fn program(name: &str) -> PathBuf {
    fn find(directory: &Path, name: &str) -> Option<PathBuf> {
        std::fs::read_dir(directory).unwrap().filter_map(|entry| Some(entry.ok()?.path())).find_map(|path| {
            let found = path.file_name()?.to_str()?.starts_with(name) && path.is_file();
            if path.is_dir() { find(&path, name) } else { found.then_some(path) }
        })
    }
    find(&tools().join("lib"), name).unwrap()
}

/// The independent client.
#[must_use]
pub fn rclone() -> PathBuf {
    tools().join("bin/rclone")
}

/// A prefix for one test alone.
fn unused_prefix() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test-{}/{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Waits for what a server does once it runs.
fn until(complaint: &str, is_done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_done() {
        assert!(begun.elapsed() < PATIENCE, "{complaint}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn at(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// The Python environment with the servers, made on first use.
fn tools() -> PathBuf {
    static TOOLS: OnceLock<PathBuf> = OnceLock::new();
    let tools = TOOLS.get_or_init(|| {
        let directory = target().join("tools/python");
        let setup = concat!(env!("CARGO_MANIFEST_DIR"), "/setup.sh");
        let done = Command::new("sh").arg(setup).arg(&directory).status().unwrap();
        assert!(done.success(), "the object stores of the tests cannot be installed: see above");
        directory
    });
    tools.clone()
}

/// Where all is built.
fn target() -> PathBuf {
    // target/debug/deps/TEST, or target/release/PROGRAM
    let program = std::env::current_exe().unwrap();
    let is_target = |directory: &&Path| directory.join("CACHEDIR.TAG").exists();
    program.ancestors().find(is_target).or_else(|| program.ancestors().nth(3)).unwrap().to_owned()
}
