//! Directories served by web servers.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    at, http,
    process::{Process, free_port},
    until,
};

/// A server, which lives as long as this.
#[derive(Debug)]
pub struct Web {
    /// `http://127.0.0.1:port`
    pub endpoint: String,
    /// What it serves.
    pub directory: PathBuf,
    /// Names with a dot in front are not on its pages.
    pub hides_dots: bool,
    _process: Process,
}

/// Python's own server, which knows neither ranges nor etags.
#[must_use]
pub fn python_web() -> Web {
    start(false, |_, port| {
        let mut command = Command::new("python3");
        command.args(["-m", "http.server", "--bind", "127.0.0.1", "--directory", "data", &port.to_string()]);
        command
    })
}

/// nginx, which writes pages about directories; `None`, loudly, where it is not installed.
#[must_use]
pub fn nginx() -> Option<Web> {
    let program = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];
    let Some(program) = program.into_iter().find(|program| Path::new(program).exists()) else {
        // What a test prints is not shown if it passes.
        let _ = writeln!(
            io::stderr(),
            "LEFT OUT and not passed: what is tested on nginx, which is not installed"
        );
        return None;
    };
    Some(start(true, |directory, port| {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary: String = temporary.iter().map(|kind| format!("{kind}_temp_path temporary;")).collect();
        let settings = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr; events {{}}\n\
             http {{ access_log off; {temporary} default_type application/octet-stream;\n\
             server {{ listen 127.0.0.1:{port}; root data; autoindex on; }} }}\n"
        );
        fs::write(directory.join("nginx.conf"), settings).unwrap();
        let mut command = Command::new(program);
        command.args(["-e", "stderr", "-c", "nginx.conf", "-p"]).arg(directory);
        command
    }))
}

fn start(hides_dots: bool, command: impl Fn(&Path, u16) -> Command) -> Web {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("data");
    fs::create_dir(&directory).unwrap();
    let port = free_port(&[0]);
    let process = Process::start(command(scratch.path(), port), scratch);
    until("the web server does not answer", || http::send(port, "GET", "/", "") == 200);
    Web { endpoint: at(port), directory, hides_dots, _process: process }
}
