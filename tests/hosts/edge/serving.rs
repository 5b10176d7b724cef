//! The function in a host, with a directory of its own.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use super::http::{Body, Client};
use crate::{
    shipped::{built, component, plugged},
    stock::{granted, is_left_out, tool, variable},
};

/// The example.
pub(crate) const FUNCTION: &str = "omnistorage-example-edge";

/// Where the host of wasmCloud writes what it says.
const SAID: &str = "said";

pub(crate) struct Serving {
    process: Child,
    address: String,
    data: PathBuf,
    /// Deleted at the end.
    scratch: TempDir,
}

impl Serving {
    /// `None` where hosts are left out on purpose.
    pub(crate) fn in_wasmtime(environment: &[(&str, &str)]) -> Option<Self> {
        if is_left_out() {
            return None;
        }
        let mut command = Command::new(tool("wasmtime"));
        let scratch = tempfile::tempdir().unwrap();
        let data = scratch.path().join("data");
        fs::create_dir(&data).unwrap();
        command.args(["serve", "-S", "cli", "--addr", "127.0.0.1:0"]).args(granted(&data, "/data"));
        for (name, value) in environment {
            command.args(variable(name, value));
        }
        command.arg(function());
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = said
            .find_map(|line| Some(line.unwrap().split_once("http://")?.1.trim_end_matches('/').to_owned()))
            .expect("wasmtime says where it serves");
        // Whoever writes where nobody reads waits for ever.
        thread::spawn(move || said.for_each(drop));
        Some(Self { process, address, data, scratch })
    }

    /// The same file in the host of wasmCloud.
    pub(crate) fn in_wash() -> Option<Self> {
        (!is_left_out()).then(|| Self::in_wash_with(&function(), &[]))
    }

    /// There, with its parts as they are: the host links them.
    pub(crate) fn linked_by_wash() -> Option<Self> {
        let parts = ["omnistorage", "omnistorage-provider-files"];
        (!is_left_out()).then(|| Self::in_wash_with(&built(FUNCTION), &parts))
    }

    fn in_wash_with(function: &Path, parts: &[&str]) -> Self {
        let mut config = format!(
            "build:\n  command: \"true\"\n  component_path: {}\ndev:\n  address: ADDRESS\n  volumes:\n    - host_path: \
             data\n      guest_path: /data\n",
            function.display(),
        );
        if !parts.is_empty() {
            config += "  components:\n";
        }
        for part in parts {
            config += &format!("    - name: {part}\n      file: {}\n", component(part).display());
        }
        Self::in_wash_as(&config)
    }

    /// There, by a configuration, in which `ADDRESS` stands for the address. Its directory `data` is there.
    pub(crate) fn in_wash_as(config: &str) -> Self {
        let mut command = Command::new(tool("wash"));
        let scratch = tempfile::tempdir().unwrap();
        let data = scratch.path().join("data");
        fs::create_dir_all(&data).unwrap();
        fs::create_dir(scratch.path().join(".wash")).unwrap();
        // It takes no port 0, so somebody else might take this one meanwhile.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        fs::write(scratch.path().join(".wash/config.yaml"), config.replace("ADDRESS", &address)).unwrap();
        command.args(["dev", "--non-interactive"]).current_dir(scratch.path());
        let said = fs::File::create(scratch.path().join(SAID)).unwrap();
        command.env("HOME", scratch.path()).stdout(Stdio::null()).stderr(said);
        let process = command.spawn().unwrap();
        let serving = Self { process, address, data, scratch };
        // It answers before the function is there.
        serving.until(|| {
            TcpStream::connect(&serving.address).is_ok()
                && serving.client().request("GET", "/", &[], Body::None).status == 200
        });
        serving
    }

    /// What the host of wasmCloud said, and what its components did on standard error.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.scratch.path().join(SAID)).unwrap()).into_owned()
    }

    pub(crate) fn client(&self) -> Client {
        Client(self.address.clone())
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Bytes of memory that the host has.
    pub(crate) fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        resident.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Waits for what comes of itself, two minutes at most.
    pub(crate) fn until(&self, holds: impl Fn() -> bool) {
        for _ in 0..1200 {
            if holds() {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("what was waited for did not come");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The example, with the library and the files of the host in it.
fn function() -> PathBuf {
    plugged(FUNCTION, "omnistorage-files")
}
