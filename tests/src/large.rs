//! An API whose responses are too large to be held: they are made while they are sent, and may break off or wait.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::HarnessError;

/// What is answered, whatever is asked.
#[derive(Clone, Debug)]
pub struct LargeBody {
    /// The media type.
    pub media_type: &'static str,
    /// What stands before the records.
    pub head: String,
    /// How many records there are.
    pub records: usize,
    /// The text of a record, by its number.
    pub record: fn(usize) -> String,
    /// What stands between two records.
    pub separator: &'static str,
    /// What stands after the records.
    pub tail: String,
    /// How many of the first answers break off, and before which record.
    pub breaks: (usize, usize),
    /// The record before which every answer waits for [`LargeApi::go_on`].
    pub waits: Option<usize>,
}

impl LargeBody {
    /// A JSON array of records.
    pub fn array(records: usize, record: fn(usize) -> String) -> Self {
        Self {
            media_type: "application/json",
            head: "[".to_owned(),
            records,
            record,
            separator: ",",
            tail: "]".to_owned(),
            breaks: (0, 0),
            waits: None,
        }
    }
}

/// A running API. It stops when dropped.
pub struct LargeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    body: LargeBody,
    requests: AtomicUsize,
    stopped: AtomicBool,
    goes_on: (Mutex<bool>, Condvar),
}

impl LargeApi {
    /// Answers every request with this body.
    pub fn start(body: LargeBody) -> Result<Self, HarnessError> {
        let failed = || HarnessError::io("starting the API");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(failed())?;
        let address = listener.local_addr().map_err(failed())?;
        let shared = Arc::new(Shared {
            body,
            requests: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            goes_on: (Mutex::new(false), Condvar::new()),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.stopped.load(Ordering::Relaxed) {
                    return;
                }
                let serving = Arc::clone(&serving);
                // Whoever hangs up has its reasons.
                std::thread::spawn(move || drop(serving.answer(stream)));
            }
        });
        Ok(Self { address, shared })
    }

    /// The API's base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests came.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Ends the wait of this answer, and of all that follow.
    pub fn go_on(&self) {
        let (goes_on, told) = &self.shared.goes_on;
        *goes_on.lock().unwrap_or_else(PoisonError::into_inner) = true;
        told.notify_all();
    }
}

impl Drop for LargeApi {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        self.go_on();
        // The listener looks at the flag when somebody comes.
        drop(TcpStream::connect_timeout(&self.address, Duration::from_secs(1)));
    }
}

impl Shared {
    fn answer(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut request = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        while request.read_line(&mut line)? > 2 {
            line.clear();
        }
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let LargeBody { media_type, head, records, record, separator, tail, breaks, waits } = &self.body;
        let mut out = BufWriter::with_capacity(64 << 10, Chunked(&stream));
        let status = format!("HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ntransfer-encoding: chunked\r\n\r\n");
        (&stream).write_all(status.as_bytes())?;
        out.write_all(head.as_bytes())?;
        for at in 0..*records {
            if number < breaks.0 && at == breaks.1 {
                out.flush()?;
                return stream.shutdown(Shutdown::Both);
            }
            if *waits == Some(at) {
                out.flush()?;
                self.wait();
            }
            if at > 0 {
                out.write_all(separator.as_bytes())?;
            }
            out.write_all(record(at).as_bytes())?;
        }
        out.write_all(tail.as_bytes())?;
        out.flush()?;
        drop(out);
        (&stream).write_all(b"0\r\n\r\n")
    }

    fn wait(&self) {
        let (goes_on, told) = &self.goes_on;
        let goes_on = goes_on.lock().unwrap_or_else(PoisonError::into_inner);
        drop(told.wait_while(goes_on, |goes_on| !*goes_on));
    }
}

/// Chunks of HTTP/1.1 (RFC 9112 section 7.1).
struct Chunked<'a>(&'a TcpStream);

impl Write for Chunked<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(format!("{:x}\r\n", bytes.len()).as_bytes())?;
        self.0.write_all(bytes)?;
        self.0.write_all(b"\r\n")?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
