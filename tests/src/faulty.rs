//! An API whose answers may break on their way: what a network, a proxy or a server in trouble makes of them.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::HarnessError;
use crate::scripted::{Answer, Received};

/// What becomes of an answer on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// It arrives.
    Whole,
    /// It arrives, compressed.
    Gzip,
    /// It arrives in pieces, with a pause before each.
    Slow,
    /// The connection is reset before the request has been read.
    ResetUnread,
    /// The connection ends when the request has been read, and nothing is answered.
    Unanswered,
    /// The connection ends in the middle of the content.
    Cut,
    /// The content is compressed, and ends in the middle, as if that were all.
    GzipCut,
    /// Half of the content arrives, and then nothing more until the client goes away.
    Stalled,
}

/// How many pieces a slow answer comes in.
const PIECES: usize = 4;

/// The pause before each of them.
const PAUSE: Duration = Duration::from_millis(5);

type Handler = dyn Fn(&Received) -> (Answer, Transport) + Send + Sync;

struct Shared {
    handler: Box<Handler>,
    received: Mutex<Vec<Received>>,
    requests: AtomicUsize,
    stopped: AtomicBool,
}

/// A running API. It stops when dropped.
pub struct FaultyApi {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl FaultyApi {
    /// Answers every request as `handler` says; connections are served at the same time.
    pub fn start(
        handler: impl Fn(&Received) -> (Answer, Transport) + Send + Sync + 'static,
    ) -> Result<Self, HarnessError> {
        let failed = || HarnessError::io("starting the API");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(failed())?;
        let address = listener.local_addr().map_err(failed())?;
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            received: Mutex::default(),
            requests: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.stopped.load(Ordering::Relaxed) {
                    return;
                }
                let serving = Arc::clone(&serving);
                // Whoever hangs up has its reasons.
                std::thread::spawn(move || drop(serving.serve(&stream)));
            }
        });
        Ok(Self { address, shared })
    }

    /// The API's base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests since the last call.
    pub fn received(&self) -> Vec<Received> {
        std::mem::take(&mut *self.shared.received.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many requests came.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::Relaxed)
    }
}

impl Drop for FaultyApi {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // The listener looks at the flag when somebody comes.
        drop(TcpStream::connect_timeout(&self.address, Duration::from_secs(1)));
    }
}

impl Shared {
    /// Answers the requests of a connection until one of them is the last.
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        while let Some(head) = peek(stream)? {
            // What has not been read resets the connection when it is closed.
            let (mut request, length) = parse(&head);
            let mut content = vec![0; length];
            if length > 0 {
                let mut all = vec![0; head.len() + length];
                // Waits for the content too, and leaves it where it is.
                while stream.peek(&mut all)? < all.len() {
                    std::thread::yield_now();
                }
                content.copy_from_slice(all.get(head.len()..).unwrap_or_default());
            }
            request.body = String::from_utf8_lossy(&content).into_owned();
            self.requests.fetch_add(1, Ordering::Relaxed);
            let (answer, transport) = (self.handler)(&request);
            self.received.lock().unwrap_or_else(PoisonError::into_inner).push(request);
            if transport == Transport::ResetUnread {
                return Ok(());
            }
            { stream }.read_exact(&mut vec![0; head.len() + length])?;
            if !send(stream, answer, transport)? {
                return stream.shutdown(Shutdown::Both);
            }
        }
        Ok(())
    }
}

/// The head of the next request, which is left where it is; `None` after the last.
fn peek(stream: &TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = stream.peek(&mut buffer)?;
        if length == 0 {
            return Ok(None);
        }
        let seen = buffer.get(..length).unwrap_or_default();
        if let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
            return Ok(seen.get(..end + 4).map(<[u8]>::to_vec));
        }
        std::thread::yield_now();
    }
}

/// A request without its content, and how long that is.
fn parse(head: &[u8]) -> (Received, usize) {
    let mut lines = BufReader::new(head).lines().map_while(Result::ok);
    let line = lines.next().unwrap_or_default();
    let mut words = line.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let header = |line: String| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers: std::collections::BTreeMap<_, _> = lines.filter_map(header).collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    (Received { method, target, headers, body: String::new() }, length)
}

/// Sends an answer; `false` if it is the last of its connection.
fn send(mut stream: &TcpStream, answer: Answer, transport: Transport) -> io::Result<bool> {
    let Answer { status, mut headers, mut body } = answer;
    if transport == Transport::Unanswered {
        return Ok(false);
    }
    if matches!(transport, Transport::Gzip | Transport::GzipCut) && !body.is_empty() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&body)?;
        body = encoder.finish()?;
        if transport == Transport::GzipCut {
            body.truncate(body.len() / 2);
        }
        headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
    }
    let mut head = format!("HTTP/1.1 {status} \r\n");
    // An answer without content has no length (RFC 9110 section 8.6).
    if status != 204 {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    let half = body.get(..body.len() / 2).unwrap_or_default();
    match transport {
        Transport::Cut => {
            stream.write_all(half)?;
            return Ok(false);
        }
        Transport::Stalled => {
            stream.write_all(half)?;
            // Ends with the connection.
            return stream.read(&mut [0]).map(|_| false);
        }
        Transport::Slow => {
            for piece in body.chunks(body.len().div_ceil(PIECES).max(1)) {
                std::thread::sleep(PAUSE);
                stream.write_all(piece)?;
            }
        }
        _ => stream.write_all(&body)?,
    }
    Ok(true)
}
