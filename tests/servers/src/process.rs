//! Processes that end with the one that started them.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Mutex,
};

use tempfile::TempDir;

/// Starts the command given, and ends it by its id once there is nobody left who could write to the standard input.
const GUARD: &str = r#"
"$@" </dev/null >log 2>&1 &
server=$!
read -r _
kill -9 "$server"
wait "$server" 2>/dev/null
[ -z "$GUARDED_DIRECTORY" ] || { cd / && rm -rf "$GUARDED_DIRECTORY"; }
"#;

/// A server with its directory.
#[derive(Debug)]
pub(crate) struct Process {
    /// Its standard input is what the guard waits for.
    guard: Child,
}

impl Process {
    pub(crate) fn start(command: Command, directory: TempDir) -> Self {
        // Tests never drop what is static: the guard removes it.
        let directory = directory.keep();
        Self::begin(&command, &directory, &directory)
    }

    /// Starts it in a directory that stays.
    pub(crate) fn within(command: &Command, directory: &Path) -> Self {
        Self::begin(command, directory, Path::new(""))
    }

    fn begin(command: &Command, directory: &Path, guarded: &Path) -> Self {
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(command.get_program())
            .args(command.get_args())
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY")
            .env("TMPDIR", directory)
            .env("GUARDED_DIRECTORY", guarded)
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { guard }
    }

    /// Ends the server at once, as a machine ends that loses its power.
    pub(crate) fn kill(mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// A port that is free together with those at the given distances from it. No two calls in a process give the same one,
/// for a server takes its port only once it runs.
pub(crate) fn free_port(distances: &[u16]) -> u16 {
    static NEXT: Mutex<u16> = Mutex::new(0);
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    // Below the range from which systems give ports to clients. Processes that were started one after the other begin
    // far from each other.
    let first = (std::process::id() % 1_000 * 61 % 1_000) as u16;
    let port = |step: u16| 11_000 + (first + step) % 1_000 * 10;
    let mut next = NEXT.lock().unwrap();
    let step = (*next..*next + 1_000)
        .find(|step| distances.iter().all(|distance| is_free(port(*step) + distance)))
        .unwrap();
    *next = step + 1;
    port(step)
}
