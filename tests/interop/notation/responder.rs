//! An HTTP server on loopback that answers with what a function makes of the request: timestamps, OCSP, CRLs.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// A request: path and body.
pub(super) type Answer = dyn Fn(&str, &[u8]) -> (&'static str, Vec<u8>) + Send + Sync;

/// A running server; it ends when dropped.
pub(super) struct Responder {
    port: u16,
    end: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Responder {
    /// Binds a free port first, so that certificates can name it.
    pub(super) fn bind() -> (TcpListener, String) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        (listener, format!("127.0.0.1:{port}"))
    }

    /// Answers until dropped: content type and body.
    pub(super) fn start(listener: TcpListener, answer: Box<Answer>) -> Self {
        let port = listener.local_addr().expect("it is bound").port();
        let (end, asked) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicUsize::new(0)),
        );
        let (ended, count) = (end.clone(), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(stream) = stream {
                    count.fetch_add(1, Ordering::SeqCst);
                    // A client that goes away is its own business.
                    let _ = serve(stream, answer.as_ref());
                }
            }
        });
        Self { port, end, asked }
    }

    /// How often it was asked.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.end.store(true, Ordering::SeqCst);
        // Wakes the one that waits for a connection.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn serve(mut stream: TcpStream, answer: &Answer) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        match stream.read(&mut chunk)? {
            0 => return Ok(()),
            count => bytes.extend_from_slice(&chunk[..count]),
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let path = String::from_utf8_lossy(&bytes[..head])
        .split(' ')
        .nth(1)
        .unwrap_or_default()
        .to_owned();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or(0);
    while bytes.len() < head + length {
        match stream.read(&mut chunk)? {
            0 => break,
            count => bytes.extend_from_slice(&chunk[..count]),
        }
    }
    let (content_type, body) = answer(&path, &bytes[head..]);
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}
