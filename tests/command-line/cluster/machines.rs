//! Workers and clients as processes, each with a log.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use omnistorage_test_servers::Nats;
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    command::{Run, command},
    tree::Scratch,
};

/// Nothing takes longer, also on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// A source and a target that share some, and each has some alone.
pub(super) fn trees(scratch: &Scratch, target: &str) -> (PathBuf, PathBuf) {
    for number in 0..200 {
        let name = |side: &str, first: usize| format!("{side}/{}/{:03}", number % 9, number + first);
        scratch.write(&name("source", 0), number.to_string());
        scratch.write(&name(target, 90), "x");
    }
    scratch.write("source/3-in between", "x");
    scratch.write(&format!("{target}/3/x/deep/extra"), "x");
    scratch.write(&format!("{target}/zz"), "x");
    (scratch.path("source"), scratch.path(target))
}

/// Waits until something is so.
#[track_caller]
pub(super) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A process with its output in files.
pub(super) struct Process {
    child: Child,
    log: PathBuf,
    output: PathBuf,
}

impl Process {
    fn start(mut command: Command, log: PathBuf) -> Self {
        let output = log.with_extension("out");
        let child = command
            .stdin(Stdio::null())
            .stdout(File::create(&output).unwrap())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self { child, log, output }
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits for something that it says.
    #[track_caller]
    pub(super) fn says(&mut self, words: &str) {
        until(words, || {
            let log = self.log();
            let is_over = self.child.try_wait().unwrap().is_some();
            assert!(!is_over || log.contains(words), "no {words:?} in: {log}");
            log.contains(words)
        });
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(super) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(super) fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Its end.
    pub(super) fn end(mut self) -> Run {
        until("it does not end", || self.is_over());
        let code = self.child.wait().unwrap().code();
        Run { code, stdout: fs::read(&self.output).unwrap(), stderr: self.log() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Machines around one server. They end with this.
pub(super) struct Machines<'a> {
    url: String,
    scratch: &'a Scratch,
    environment: Vec<(String, String)>,
    pub(super) workers: BTreeMap<String, Process>,
    clients: std::cell::Cell<u32>,
}

impl<'a> Machines<'a> {
    /// With workers that are allowed all of the scratch directory.
    pub(super) fn new(
        nats: &Nats,
        scratch: &'a Scratch,
        workers: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        Self::at(nats.url(), scratch, workers, environment)
    }

    /// The same around servers at an address.
    pub(super) fn at(
        url: String,
        scratch: &'a Scratch,
        workers: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment = environment.iter().map(owned).collect();
        let mut machines =
            Self { url, scratch, environment, workers: BTreeMap::new(), clients: std::cell::Cell::default() };
        for worker in workers {
            machines.start(worker, &[]);
        }
        machines
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// A command that is not shared.
    pub(super) fn alone(&self, arguments: &[&str]) -> Run {
        self.command(arguments).output().unwrap().into()
    }

    pub(super) fn start(&mut self, name: &str, options: &[&str]) {
        self.start_allowing(name, &[&self.scratch.path("")], options);
    }

    pub(super) fn start_allowing(&mut self, name: &str, places: &[&Path], options: &[&str]) {
        let places: Vec<_> = places.iter().map(|place| text(place)).collect();
        let allowed = places.iter().flat_map(|place| ["--allow", place]);
        self.start_with(name, &allowed.chain(options.iter().copied()).collect::<Vec<_>>());
    }

    /// Starts a worker, and waits until it takes part.
    pub(super) fn start_with(&mut self, name: &str, options: &[&str]) {
        let worker = self.started(name, options);
        self.workers.insert(name.to_owned(), worker);
    }

    /// Such a worker.
    pub(super) fn started(&self, name: &str, options: &[&str]) -> Process {
        let arguments = [&["worker", "--cluster", &self.url, "--name", name], options].concat();
        let log = self.scratch.write(&format!("logs/{name}.log"), "");
        let mut worker = Process::start(self.command(&arguments), log);
        worker.says("takes part");
        worker
    }

    pub(super) fn worker(&mut self, name: &str) -> &mut Process {
        self.workers.get_mut(name).unwrap()
    }

    pub(super) fn take(&mut self, name: &str) -> Process {
        self.workers.remove(name).unwrap()
    }

    #[track_caller]
    pub(super) fn says(&mut self, name: &str, words: &str) {
        self.worker(name).says(words);
    }

    pub(super) fn log(&self, name: &str) -> String {
        self.workers[name].log()
    }

    /// Begins a shared run over two local places.
    pub(super) fn begin(&self, name: &str, source: &Path, target: &Path, options: &[&str]) -> Process {
        let (source, target) = (text(source), text(target));
        self.begin_with(name, &[&["--shared-paths", &source, &target], options].concat())
    }

    pub(super) fn begin_with(&self, name: &str, arguments: &[&str]) -> Process {
        let number = self.clients.get();
        self.clients.set(number + 1);
        let log = self.scratch.write(&format!("logs/client {number}.log"), "");
        let arguments = [&[name, "--cluster", &self.url], arguments].concat();
        Process::start(self.command(&arguments), log)
    }

    /// A shared run, to its end.
    pub(super) fn share(&self, name: &str, source: &Path, target: &Path, options: &[&str]) -> Run {
        self.begin(name, source, target, options).end()
    }
}
