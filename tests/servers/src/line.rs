//! A line to a server, of whatever protocol, that can be cut for a while: nothing passes then, and nothing breaks.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// How often is looked whether it is mended.
const PERIOD: Duration = Duration::from_millis(5);

/// A line. What goes over it when this is dropped still does.
#[derive(Debug)]
pub struct Line {
    /// `127.0.0.1:port`
    pub address: String,
    is_cut: Arc<AtomicBool>,
}

impl Line {
    /// To the server at `host:port`.
    #[must_use]
    pub fn to(server: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let is_cut = Arc::<AtomicBool>::default();
        let (server, switch) = (server.to_owned(), Arc::clone(&is_cut));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&server) else { continue };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let ends = from.try_clone().and_then(|from| Ok((from, to.try_clone()?)));
                    let (Ok((from, to)), switch) = (ends, Arc::clone(&switch)) else { continue };
                    thread::spawn(move || {
                        let _ = pass(&from, &to, &switch);
                        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                    });
                }
            }
        });
        Self { address, is_cut }
    }

    /// Lets nothing pass from now on.
    pub fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
    }

    /// Lets everything pass again, also what waits.
    pub fn mend(&self) {
        self.is_cut.store(false, Ordering::Release);
    }
}

fn pass(mut from: &TcpStream, mut to: &TcpStream, is_cut: &AtomicBool) -> io::Result<()> {
    let mut bytes = vec![0; 64 << 10];
    loop {
        let length = from.read(&mut bytes)?;
        while is_cut.load(Ordering::Acquire) {
            thread::sleep(PERIOD);
        }
        match bytes.get(..length).unwrap_or_default() {
            [] => return Ok(()),
            bytes => to.write_all(bytes)?,
        }
    }
}
