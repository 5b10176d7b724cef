//! Processes that end with the one that started them.

use std::{
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// Starts the command given, and ends it by its id once there is nobody left who could write to the standard input.
const GUARD: &str = r#"
"$@" </dev/null >log 2>&1 &
server=$!
read -r _
kill -9 "$server"
wait "$server" 2>/dev/null
cd / && rm -rf "$GUARDED_DIRECTORY"
"#;

/// A server with its directory.
#[derive(Debug)]
pub(crate) struct Process {
    /// Its standard input is what the guard waits for.
    _guard: Child,
}

impl Process {
    pub(crate) fn start(command: Command, directory: TempDir) -> Self {
        // Tests never drop what is static: the guard removes it.
        let directory = directory.keep();
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(command.get_program())
            .args(command.get_args())
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY")
            .env("TMPDIR", &directory)
            .env("GUARDED_DIRECTORY", &directory)
            .current_dir(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { _guard: guard }
    }
}

/// A port that is free together with those at the given distances from it.
pub(crate) fn free_port(distances: &[u16]) -> u16 {
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    // Below the range from which systems give ports to clients.
    let first = 11_000 + (std::process::id() % 1_000) as u16 * 10;
    (0..1_100_u16)
        .map(|step| 11_000 + (first - 11_000 + step * 10) % 10_000)
        .find(|port| distances.iter().all(|distance| is_free(port + distance)))
        .unwrap()
}
