//! NATS with JetStream, which keeps its store from one start to the next.

use std::{
    env,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    process::{Process, free_port},
    tools, until,
};

/// A server of NATS.
#[derive(Debug)]
pub struct Nats {
    port: u16,
    directory: TempDir,
    process: Option<Process>,
}

impl Nats {
    /// Starts a server; `None` if it is left out on purpose, which `make test` tells at its end.
    #[must_use]
    pub fn start() -> Option<Self> {
        let without = env::var("OMNISTORAGE_WITHOUT").unwrap_or_default();
        if without.split_whitespace().any(|left_out| left_out == "nats") {
            return None;
        }
        let mut nats = Self { port: free_port(&[0]), directory: tempfile::tempdir().unwrap(), process: None };
        nats.restart();
        Some(nats)
    }

    /// The server as `make test` installs it.
    #[must_use]
    pub fn program() -> PathBuf {
        let program = tools().parent().unwrap().join("nats-server");
        assert!(
            program.exists(),
            "there is no {}: run `make test`, which installs it (with the network), or leave it out with \
             OMNISTORAGE_WITHOUT=nats",
            program.display(),
        );
        program
    }

    /// `nats://127.0.0.1:port`
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Where it keeps its streams.
    #[must_use]
    pub fn store(&self) -> &Path {
        self.directory.path()
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// Starts it on what it has kept.
    pub fn restart(&mut self) {
        self.kill();
        let mut command = Command::new(Self::program());
        command.args(["--addr", "127.0.0.1", "--port", &self.port.to_string(), "--jetstream"]);
        command.arg("--store_dir").arg(self.directory.path());
        self.process = Some(Process::within(&command, self.directory.path()));
        until("NATS does not answer", || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok());
    }

    /// Sends a message, as to the interface of JetStream, and waits until the server has it.
    pub fn send(&self, subject: &str, payload: &str) {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        let inbox = "_INBOX.test";
        let message = format!(
            "CONNECT {{\"verbose\":false}}\r\nSUB {inbox} 1\r\nPUB {subject} {inbox} {}\r\n{payload}\r\n",
            payload.len()
        );
        connection.write_all(message.as_bytes()).unwrap();
        let mut answer = String::new();
        while !answer.contains("MSG ") || !answer.contains('}') {
            let mut bytes = [0; 4096];
            let length = connection.read(&mut bytes).unwrap();
            assert!(length > 0, "the server left: {answer}");
            answer += &String::from_utf8_lossy(bytes.get(..length).unwrap());
            answer =
                answer.split_once("MSG ").map_or_else(|| answer.clone(), |(_, rest)| format!("MSG {rest}"));
        }
        assert!(!answer.contains("\"error\""), "{answer}");
    }
}
