//! NATS with JetStream, which keeps its store from one start to the next.

use std::{
    env,
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
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
    /// What it is told beside its port and its directory.
    arguments: Vec<String>,
    directory: TempDir,
    process: Option<Process>,
}

impl Nats {
    /// Starts a server; `None` if it is left out on purpose, which `make test` tells at its end.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::is_wanted().then(|| Self::at(free_port(&[0]), Vec::new()))
    }

    /// Starts three servers that are one, and waits until they have agreed on who leads.
    #[must_use]
    pub fn three() -> Option<[Self; 3]> {
        if !Self::is_wanted() {
            return None;
        }
        // Each has one more port, for the others.
        let ports = [(); 3].map(|()| free_port(&[0, 1]));
        let routes = ports.map(|port| format!("nats://127.0.0.1:{}", port + 1));
        let servers = ports.map(|port| {
            let arguments = format!(
                "--name server-{port} --cluster_name three --cluster nats://127.0.0.1:{} --routes {}",
                port + 1,
                routes.join(","),
            );
            Self::at(port, arguments.split(' ').map(str::to_owned).collect())
        });
        until("the three do not agree", || {
            let agrees =
                |answer: io::Result<String>| answer.is_ok_and(|answer| !answer.contains("\"error\""));
            servers.iter().all(|server| agrees(server.ask("$JS.API.INFO", "")))
        });
        Some(servers)
    }

    fn is_wanted() -> bool {
        let without = env::var("OMNISTORAGE_WITHOUT").unwrap_or_default();
        !without.split_whitespace().any(|left_out| left_out == "nats")
    }

    fn at(port: u16, arguments: Vec<String>) -> Self {
        let mut nats = Self { port, arguments, directory: tempfile::tempdir().unwrap(), process: None };
        nats.restart();
        nats
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
        command.arg("--store_dir").arg(self.directory.path()).args(&self.arguments);
        self.process = Some(Process::within(&command, self.directory.path()));
        until("NATS does not answer", || TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok());
    }

    /// Sends a message, as to the interface of JetStream, and waits until the server has it.
    pub fn send(&self, subject: &str, payload: &str) {
        let answer = self.ask(subject, payload).unwrap();
        assert!(!answer.contains("\"error\""), "{answer}");
    }

    /// Sends a message, and gives the answer to it.
    ///
    /// # Errors
    /// If there is none within a second.
    pub fn ask(&self, subject: &str, payload: &str) -> io::Result<String> {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        connection.set_read_timeout(Some(Duration::from_secs(1)))?;
        let inbox = "_INBOX.test";
        let message = format!(
            "CONNECT {{\"verbose\":false}}\r\nSUB {inbox} 1\r\nPUB {subject} {inbox} {}\r\n{payload}\r\n",
            payload.len()
        );
        connection.write_all(message.as_bytes())?;
        let mut answer = String::new();
        while !answer.contains("MSG ") || !answer.contains('}') {
            let mut bytes = [0; 4096];
            let length = connection.read(&mut bytes)?;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            answer += &String::from_utf8_lossy(bytes.get(..length).unwrap());
            answer =
                answer.split_once("MSG ").map_or_else(|| answer.clone(), |(_, rest)| format!("MSG {rest}"));
        }
        Ok(answer)
    }
}
