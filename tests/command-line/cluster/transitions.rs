//! A client that is killed at each step that it takes, before the server hears of it and after; another one goes on.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use omnistorage_test_servers::Nats;

use super::{
    faults::SHORT,
    machines::{Machines, trees},
};
use crate::tree::{Scratch, assert_equal, contents};

/// A step: the record of a run changes, ranges are given out, or what was done is forgotten.
const STEPS: [&str; 3] =
    ["PUB $KV.omnistorage-runs.", "PUB omnistorage.work.", "PUB $JS.API.STREAM.PURGE.KV_omnistorage-ledger"];

/// Whether the server still hears of the step at which the line is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Before,
    Behind,
}

/// A line to the server, on which nothing more passes from a step on.
struct Line {
    url: String,
    steps: Arc<AtomicUsize>,
}

impl Line {
    fn to(nats: &Nats, last: usize, cut: Cut) -> Self {
        let server = nats.url().strip_prefix("nats://").unwrap().to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("nats://{}", listener.local_addr().unwrap());
        let steps = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&steps);
        thread::spawn(move || {
            // One connection: who is cut off does not come back.
            let (client, _) = listener.accept().unwrap();
            let server = TcpStream::connect(server).unwrap();
            let (mut down, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || drop(io::copy(&mut down, &mut to)));
            let _ = pass(&client, &server, last, cut, &counted);
            for side in [&client, &server] {
                let _ = side.shutdown(Shutdown::Both);
            }
        });
        Self { url, steps }
    }

    /// Whether the step came at which it was to be cut.
    fn is_cut(&self, last: usize) -> bool {
        self.steps.load(Ordering::Relaxed) > last
    }
}

/// Passes on what the client says, up to the end of a step or to what comes before it.
fn pass(
    mut client: &TcpStream,
    mut server: &TcpStream,
    last: usize,
    cut: Cut,
    steps: &AtomicUsize,
) -> io::Result<()> {
    let mut bytes = vec![0; 1 << 20];
    loop {
        let length = client.read(&mut bytes)?;
        let said = bytes.get(..length).unwrap_or_default();
        if said.is_empty() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(said);
        let is_step = STEPS.iter().any(|step| text.contains(step));
        let is_last = is_step && steps.fetch_add(1, Ordering::Relaxed) == last;
        if is_last && cut == Cut::Before {
            return Ok(());
        }
        server.write_all(said)?;
        if is_last {
            // The answer is never heard.
            return Ok(());
        }
    }
}

/// Kills clients at each step of a run; `check` looks at the target after each.
fn kill_at_each_step(nats: &Nats, code: i32, odd: Option<&[u8]>, check: impl Fn(&Scratch, &Path, &Path)) {
    for cut in [Cut::Before, Cut::Behind] {
        for last in 0.. {
            let scratch = Scratch::new();
            let (source, target) = trees(&scratch, "target");
            if let Some(odd) = odd {
                let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(odd);
                std::fs::write(source.join("3").join(odd), "x").unwrap();
            }
            let machines = Machines::new(nats, &scratch, &["one"], &[]);
            let line = Line::to(nats, last, cut);
            let options = [&SHORT[..], &["--json", "--ranges", "4"]].concat();
            let mut client =
                Machines::at(line.url.clone(), &scratch, &[], &[]).begin("sync", &source, &target, &options);
            while !line.is_cut(last) && !client.is_over() {
                thread::sleep(std::time::Duration::from_millis(5));
            }
            let is_over = !line.is_cut(last);
            drop(client);
            let ended = machines.share("sync", &source, &target, &options);
            assert_eq!(ended.code, Some(code), "{cut:?} step {last}: {ended:?}");
            check(&scratch, &source, &target);
            let summary = ended.summary();
            let objects = contents(&source).len() - usize::from(odd.is_some());
            assert_eq!(summary["source_objects"], objects, "{cut:?} step {last}: {summary}");
            if is_over {
                assert!(last >= 6, "there are no more than {last} steps");
                break;
            }
        }
    }
}

#[test]
fn whenever_a_client_is_killed_another_one_leads_the_run_on() {
    let Some(nats) = Nats::start() else { return };
    kill_at_each_step(&nats, 0, None, |_, source, target| assert_equal(source, target));
}

#[test]
fn whenever_a_client_is_killed_nothing_is_deleted_after_an_error() {
    let Some(nats) = Nats::start() else { return };
    // A name that is no path is an error.
    kill_at_each_step(&nats, 6, Some(b"\xff"), |scratch, source, target| {
        let extra = |path: &std::path::PathBuf| !contents(source).contains_key(path);
        let (_, before) = trees(scratch, "before");
        let before = contents(&before);
        let after = contents(target);
        assert!(before.keys().any(extra) && before.keys().all(|path| after.contains_key(path)));
    });
}
