//! A proxy that breaks what passes through it: HTTP/1.1 to any server on loopback, S3 or another.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// What becomes of a request and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server never sees it; the proxy answers.
    Answer(Canned),
    /// The connection is cut in the middle of the request: the server never sees it.
    CutRequest,
    /// The server does what is asked, and the connection is cut before its answer.
    LoseAnswer,
    /// The connection is cut in the middle of the body of the answer.
    CutAnswer,
    /// Half of the body of the answer is missing, and nothing of the framing tells.
    TruncateAnswer,
    /// A bit of the body of the request is flipped on the way to the server.
    FlipRequest,
    /// A bit of the body of the answer is flipped.
    FlipAnswer,
    /// The answer comes late.
    Delay(Duration),
    /// The body of the answer comes byte by byte, so far apart.
    Drip(Duration),
    /// The server never sees it; an answer of this status has a body without an end.
    Endless(u16),
    /// The server never sees it; an answer of this status stops within its body, and the connection stays.
    Stall(u16),
}

/// An answer that no server gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Canned {
    status: u16,
    headers: String,
    body: String,
}

impl Canned {
    /// With a status alone.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// As S3 refuses; also with status 200, which it uses where it had to answer before it was done.
    #[must_use]
    pub fn s3_error(status: u16, code: &str) -> Self {
        Self::status(status).body(&format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code></Error>"))
    }

    /// With a header.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        Self { headers: format!("{}{name}: {value}\r\n", self.headers), ..self }
    }

    /// With a body.
    #[must_use]
    pub fn body(self, body: &str) -> Self {
        Self { body: body.to_owned(), ..self }
    }

    fn write(&self, mut to: &TcpStream, method: &str) -> io::Result<()> {
        let Self { status, headers, body } = self;
        let len = body.len();
        let body = if method == "HEAD" { "" } else { body };
        write!(to, "HTTP/1.1 {status} Canned\r\n{headers}content-length: {len}\r\n\r\n{body}")
    }
}

/// A request that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `PUT`, ...
    pub method: String,
    /// Path and query, as they were sent.
    pub target: String,
    /// Their names are small.
    pub headers: Vec<(String, String)>,
    /// The bytes of its body.
    pub body_len: usize,
}

impl Request {
    /// Whether it asks S3 to copy what it has.
    #[must_use]
    pub fn is_copy(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == "x-amz-copy-source")
    }

    /// The number of the part of an object that it sends to S3.
    #[must_use]
    pub fn part_number(&self) -> Option<u64> {
        let is_sent = self.method == "PUT" && !self.is_copy();
        let (_, number) = self.target.split_once("partNumber=").filter(|_| is_sent)?;
        number.split('&').next()?.parse().ok()
    }
}

type Plan = Box<dyn FnMut(&Request) -> Option<Fault> + Send>;

struct Shared {
    server: SocketAddr,
    plan: Mutex<Plan>,
    seen: Mutex<Vec<Request>>,
    /// Requests that are being answered.
    now: AtomicUsize,
    most: AtomicUsize,
    ended: AtomicBool,
}

/// A proxy that runs until it is dropped.
pub struct Proxy {
    /// `http://127.0.0.1:port`
    pub endpoint: String,
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Proxy {
    /// Starts one before the server at `http://127.0.0.1:port`. It passes everything on until [`Proxy::plan`].
    #[must_use]
    pub fn before(endpoint: &str) -> Self {
        let server = endpoint.strip_prefix("http://").unwrap().parse().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server,
            plan: Mutex::new(Box::new(|_| None)),
            seen: Mutex::default(),
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if accepting.ended.load(Ordering::Acquire) {
                    return;
                }
                let shared = Arc::clone(&accepting);
                // A connection that breaks is what this is about.
                std::thread::spawn(move || drop(shared.serve(&connection)));
            }
        });
        Self { endpoint: format!("http://{address}"), address, shared }
    }

    /// Asks for the fault of each request from now on, in the order in which they arrive.
    pub fn plan(&self, plan: impl FnMut(&Request) -> Option<Fault> + Send + 'static) {
        *lock(&self.shared.plan) = Box::new(plan);
    }

    /// Breaks the request of that number from now on, the first being 0, and passes on all others.
    pub fn break_one(&self, number: usize, fault: Fault) {
        let mut passed = 0;
        self.plan(move |_| {
            passed += 1;
            (passed == number + 1).then(|| fault.clone())
        });
    }

    /// Takes the requests that arrived since it was asked last.
    #[must_use]
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut lock(&self.shared.seen))
    }

    /// How many requests were being answered at the same time, at most, since it was asked last.
    #[must_use]
    pub fn take_most_at_once(&self) -> usize {
        self.shared.most.swap(0, Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        // Wakes who accepts.
        drop(TcpStream::connect(self.address));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The head of a message, and its body.
struct Message {
    first: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Message {
    /// Reads one; `None` where the connection ends instead.
    fn read(from: &mut impl BufRead, has_body: impl Fn(&str) -> bool) -> io::Result<Option<Self>> {
        let mut first = String::new();
        if from.read_line(&mut first)? == 0 {
            return Ok(None);
        }
        let mut message = Self { first: first.trim_end().to_owned(), headers: Vec::new(), body: Vec::new() };
        loop {
            let mut line = String::new();
            from.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            message.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if !has_body(&message.first) {
            return Ok(Some(message));
        }
        if message.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
            message.body = read_chunks(from)?;
            message.headers.retain(|(name, _)| name != "transfer-encoding");
            message.headers.push(("content-length".to_owned(), message.body.len().to_string()));
        } else if let Some(len) = message.header("content-length") {
            message.body = vec![0; len.parse().map_err(io::Error::other)?];
            from.read_exact(&mut message.body)?;
        }
        Ok(Some(message))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }

    fn head(&self) -> String {
        let lines = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        format!("{}\r\n{}\r\n", self.first, lines.collect::<String>())
    }

    fn write(&self, mut to: impl Write) -> io::Result<()> {
        to.write_all(self.head().as_bytes())?;
        to.write_all(&self.body)?;
        to.flush()
    }

    fn flip(&mut self) {
        let middle = self.body.len() / 2;
        if let Some(byte) = self.body.get_mut(middle) {
            *byte ^= 0x10;
        }
    }

    fn truncate(&mut self) {
        self.body.truncate(self.body.len() / 2);
        let len = self.body.len().to_string();
        for (name, value) in &mut self.headers {
            if name == "content-length" {
                value.clone_from(&len);
            }
        }
    }
}

fn read_chunks(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let size = line.trim_end().split(';').next().unwrap_or_default();
        let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
        from.take(size).read_to_end(&mut body)?;
        from.read_line(&mut line)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

/// Sends until nobody reads any more.
fn endless(mut client: &TcpStream, status: u16) -> io::Result<()> {
    write!(client, "HTTP/1.1 {status} Endless\r\n\r\n")?;
    loop {
        client.write_all(&[b' '; 64 << 10])?;
    }
}

/// Sends the beginning, and waits until the client hangs up.
fn stall(mut client: &TcpStream, status: u16) -> io::Result<()> {
    write!(client, "HTTP/1.1 {status} Stalled\r\ncontent-length: 1000\r\n\r\nbegin")?;
    client.read_to_end(&mut Vec::new()).map(drop)
}

/// Sends an answer byte by byte.
fn drip(mut client: &TcpStream, answer: &Message, pause: Duration) -> io::Result<()> {
    client.write_all(answer.head().as_bytes())?;
    for byte in &answer.body {
        client.write_all(&[*byte])?;
        std::thread::sleep(pause);
    }
    Ok(())
}

impl Shared {
    /// Serves a connection until it ends, or is cut.
    fn serve(&self, client: &TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let mut from = BufReader::new(client);
        while let Some(mut request) = Message::read(&mut from, |_| true)? {
            let mut words = request.first.split(' ').map(str::to_owned);
            let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let (headers, body_len) = (request.headers.clone(), request.body.len());
            let seen = Request { method: method.clone(), target, headers, body_len };
            let fault = (lock(&self.plan))(&seen);
            lock(&self.seen).push(seen);
            match fault {
                Some(Fault::CutRequest) => return Ok(()),
                Some(Fault::Answer(canned)) => {
                    canned.write(client, &method)?;
                    continue;
                }
                Some(Fault::Endless(status)) => return endless(client, status),
                Some(Fault::Stall(status)) => return stall(client, status),
                Some(Fault::FlipRequest) => request.flip(),
                _ => {}
            }
            self.most.fetch_max(self.now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            let answered = self.answer(client, &request, &method, fault);
            self.now.fetch_sub(1, Ordering::Relaxed);
            if !answered? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Passes a request on, and its answer back. `false`: the connection is to be cut.
    fn answer(
        &self,
        mut client: &TcpStream,
        request: &Message,
        method: &str,
        fault: Option<Fault>,
    ) -> io::Result<bool> {
        let mut answer = self.ask(request, method)?;
        match fault {
            Some(Fault::LoseAnswer) => return Ok(false),
            Some(Fault::CutAnswer) => {
                client.write_all(answer.head().as_bytes())?;
                client.write_all(&answer.body[..answer.body.len() / 2])?;
                client.flush()?;
                return Ok(false);
            }
            Some(Fault::TruncateAnswer) => answer.truncate(),
            Some(Fault::FlipAnswer) => answer.flip(),
            Some(Fault::Delay(time)) => std::thread::sleep(time),
            Some(Fault::Drip(time)) => return drip(client, &answer, time).map(|()| true),
            _ => {}
        }
        answer.write(client)?;
        Ok(true)
    }

    /// Passes a request on, over a connection of its own.
    fn ask(&self, request: &Message, method: &str) -> io::Result<Message> {
        let server = TcpStream::connect(self.server)?;
        server.set_nodelay(true)?;
        let mut headers = request.headers.clone();
        headers.retain(|(name, _)| name != "connection");
        headers.push(("connection".to_owned(), "close".to_owned()));
        Message { first: request.first.clone(), headers, body: request.body.clone() }.write(&server)?;
        let has_body = |first: &str| method != "HEAD" && !first.contains(" 204 ") && !first.contains(" 304 ");
        let answer = Message::read(&mut BufReader::new(&server), has_body)?;
        let mut answer = answer.ok_or(io::ErrorKind::UnexpectedEof)?;
        answer.headers.retain(|(name, _)| !matches!(name.as_str(), "connection" | "keep-alive"));
        Ok(answer)
    }
}
