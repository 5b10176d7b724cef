//! Servers of SFTP: the sshd of OpenSSH, and rclone. Both let in whoever has one key, and know no password.

use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use omnistorage::Config;

use crate::{
    process::{Process, free_port},
    rclone, until, unused_prefix,
};

/// What OpenSSH added to the protocol.
const EXTENSIONS: &str = "posix-rename,fsync,limits,lsetstat,statvfs";

/// A server that runs.
#[derive(Debug)]
pub struct Sftp {
    /// On loopback.
    pub port: u16,
    /// Where its keys lie: `key`, that of a client, and `known_hosts`.
    pub keys: PathBuf,
    /// A directory that it serves.
    pub directory: PathBuf,
    /// What it calls that directory.
    pub root: String,
    process: Process,
}

impl Sftp {
    /// The settings of a backend, below a directory that nobody else uses, and that directory.
    #[must_use]
    pub fn config_and_directory(&self) -> (Config, PathBuf) {
        let prefix = unused_prefix();
        let directory = self.directory.join(&prefix);
        fs::create_dir_all(&directory).unwrap();
        (self.config().with("root", format!("{}/{prefix}", self.root.trim_end_matches('/'))), directory)
    }

    /// The settings of a backend, whose root is the home directory.
    #[must_use]
    pub fn config(&self) -> Config {
        let key = |name| self.keys.join(name).to_str().unwrap().to_owned();
        Config::from([
            ("host", "127.0.0.1".to_owned()),
            ("port", self.port.to_string()),
            ("identity_file", key("key")),
            ("known_hosts_file", key("known_hosts")),
            // Nothing of the machine that runs the tests.
            ("config_file", "none".to_owned()),
            ("options.IdentitiesOnly", "yes".to_owned()),
        ])
    }

    /// For the client of rclone: its settings as it takes them in a path.
    #[must_use]
    pub fn rclone_remote(&self) -> String {
        let key = |name| self.keys.join(name).to_str().unwrap().to_owned();
        format!(
            ":sftp,host=127.0.0.1,port={},user={},key_file={},known_hosts_file={},shell_type=none:{}",
            self.port,
            user(),
            key("key"),
            key("known_hosts"),
            self.root
        )
    }

    /// The configuration of ssh for a user who has one: `ssh -F` of it finds the server as `test-server`.
    #[must_use]
    pub fn ssh_config(&self) -> PathBuf {
        let file = self.keys.join(format!("config-{}", self.port));
        let [key, known] = ["key", "known_hosts"].map(|name| self.keys.join(name));
        let text = format!(
            "Host test-server\n HostName 127.0.0.1\n Port {}\n IdentityFile {}\n IdentitiesOnly yes\n \
             UserKnownHostsFile {}\n GlobalKnownHostsFile none\n",
            self.port,
            key.display(),
            known.display()
        );
        fs::write(&file, text).unwrap();
        file
    }

    /// Ends it at once.
    pub fn kill(self) {
        self.process.kill();
    }
}

/// Who runs the tests.
#[must_use]
pub fn user() -> String {
    let told = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(told.stdout).unwrap().trim().to_owned()
}

/// The sshd of the machine; `None`, loudly, where it is not installed.
#[must_use]
pub fn openssh() -> Option<&'static Sftp> {
    static SERVER: OnceLock<Option<Sftp>> = OnceLock::new();
    SERVER.get_or_init(|| start_openssh("internal-sftp")).as_ref()
}

/// The same without what OpenSSH added to the protocol.
#[must_use]
pub fn plain_openssh() -> Option<&'static Sftp> {
    static SERVER: OnceLock<Option<Sftp>> = OnceLock::new();
    SERVER.get_or_init(|| start_openssh(&format!("internal-sftp -P {EXTENSIONS}"))).as_ref()
}

/// One for a single test, which may end it, and whose subsystem is that command.
#[must_use]
pub fn start_openssh(subsystem: &str) -> Option<Sftp> {
    let program = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"];
    let found = program.into_iter().find(|program| Path::new(program).exists());
    let Some(program) = found.filter(|_| Path::new("/usr/bin/ssh").exists()) else {
        // What a test prints is not shown if it passes.
        let _ = writeln!(
            io::stderr(),
            "LEFT OUT and not passed: what is tested on OpenSSH, whose server or client is not installed"
        );
        return None;
    };
    // As root, it wants a directory that its service makes.
    let _ = fs::create_dir_all("/run/sshd");
    Some(start("host_key", |keys, port, _| {
        let line = |key: &str, value: &Path| format!("{key} {}\n", value.display());
        let settings = [
            format!("Port {port}\nListenAddress 127.0.0.1\n"),
            line("HostKey", &keys.join("host_key")),
            line("AuthorizedKeysFile", &keys.join("key.pub")),
            line("PidFile", Path::new("none")),
            "PermitRootLogin yes\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n".to_owned(),
            "KbdInteractiveAuthentication no\nMaxStartups 100\nMaxSessions 100\n".to_owned(),
            format!("Subsystem sftp {subsystem}\n"),
        ];
        fs::write(keys.join("sshd_config"), settings.concat()).unwrap();
        let mut command = Command::new(program);
        command.args(["-D", "-e", "-f"]).arg(keys.join("sshd_config"));
        command
    }))
}

/// rclone, which serves a directory as the root.
#[must_use]
pub fn rclone_sftp() -> Option<&'static Sftp> {
    static SERVER: OnceLock<Option<Sftp>> = OnceLock::new();
    let start = || {
        Path::new("/usr/bin/ssh").exists().then(|| {
            let started = start("host_key", |keys, port, directory| {
                let mut command = Command::new(rclone());
                command.args(["serve", "sftp", "--config", "/dev/null", "--no-unicode-normalization"]);
                command.args(["--vfs-cache-mode", "writes", "--cache-dir"]).arg(keys);
                command.args(["--addr", &format!("127.0.0.1:{port}"), "--key"]).arg(keys.join("host_key"));
                command.arg("--authorized-keys").arg(keys.join("key.pub")).arg(directory);
                command
            });
            Sftp { root: "/".to_owned(), ..started }
        })
    };
    SERVER.get_or_init(start).as_ref()
}

/// Makes keys and a directory, starts a server and waits until it answers.
fn start(host_key: &str, command: impl FnOnce(&Path, u16, &Path) -> Command) -> Sftp {
    let scratch = tempfile::tempdir().unwrap();
    let keys = scratch.path().to_owned();
    let directory = keys.join("data");
    fs::create_dir(&directory).unwrap();
    for name in [host_key, "key"] {
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(keys.join(name));
        assert!(keygen.status().unwrap().success());
        fs::set_permissions(keys.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let public = fs::read_to_string(keys.join(format!("{host_key}.pub"))).unwrap();
    // Whatever its port is, or that of what stands before it.
    let port = free_port(&[0]);
    // rclone takes no pattern for another port than the usual one.
    fs::write(keys.join("known_hosts"), format!("* {public}[127.0.0.1]:{port} {public}")).unwrap();
    let process = Process::start(command(&keys, port, &directory), scratch);
    until("the server of SFTP does not answer", || {
        let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
        let mut greeting = [0; 4];
        stream.read_exact(&mut greeting).is_ok() && greeting == *b"SSH-"
    });
    let root = directory.to_str().unwrap().to_owned();
    Sftp { port, keys, directory, root, process }
}

/// Passes connections on to a server, until it is told to cut them.
#[derive(Debug)]
pub struct Wire {
    /// On loopback.
    pub port: u16,
    shared: Arc<Passing>,
}

#[derive(Debug)]
struct Passing {
    server: u16,
    /// How many bytes may still pass from the server, and to it.
    left: [AtomicU64; 2],
    open: Mutex<Vec<TcpStream>>,
}

impl Wire {
    /// Before a server on loopback.
    #[must_use]
    pub fn before(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let left = [AtomicU64::new(u64::MAX), AtomicU64::new(u64::MAX)];
        let shared = Arc::new(Passing { server, left, open: Mutex::default() });
        let passing = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, passing.server)) else { continue };
                let mut open = passing.open.lock().unwrap_or_else(PoisonError::into_inner);
                open.extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                for (from, to, way) in
                    [(server.try_clone(), client.try_clone(), 0), (Ok(client), Ok(server), 1)]
                {
                    let (passing, from, to) = (Arc::clone(&passing), from.unwrap(), to.unwrap());
                    std::thread::spawn(move || passing.pass(&from, &to, way));
                }
            }
        });
        Self { port, shared }
    }

    /// Cuts every connection once so many bytes more came from the server.
    pub fn cut_answers_after(&self, bytes: u64) {
        self.shared.left[0].store(bytes, Ordering::Release);
    }

    /// Cuts every connection once so many bytes more went to the server.
    pub fn cut_requests_after(&self, bytes: u64) {
        self.shared.left[1].store(bytes, Ordering::Release);
    }

    /// Passes all on from now on.
    pub fn mend(&self) {
        self.shared.left.iter().for_each(|left| left.store(u64::MAX, Ordering::Release));
    }
}

impl Passing {
    fn pass(&self, mut from: &TcpStream, mut to: &TcpStream, way: usize) {
        let mut buffer = [0; 16 << 10];
        while let Ok(len @ 1..) = from.read(&mut buffer) {
            let left = &self.left[way];
            let len = len as u64;
            let passed = left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| match left {
                u64::MAX => Some(u64::MAX),
                left => left.checked_sub(len),
            });
            if passed.is_err() {
                self.cut();
                return;
            }
            if to.write_all(&buffer[..len as usize]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    }

    fn cut(&self) {
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
