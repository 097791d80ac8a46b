//! Waiting for a condition, with a limit; never for a time.

use anyhow::{Result, bail};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Looks until `condition` gives something, at most `limit`.
///
/// # Errors
/// When the limit is over; `what` says what was waited for.
pub fn until<T>(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> Option<T>,
) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(value) = condition() {
            return Ok(value);
        }
        if started.elapsed() > limit {
            bail!("waited {limit:?} for {what}");
        }
        std::thread::park_timeout(LOOK);
    }
}

/// The body of a GET, plain HTTP/1.1.
///
/// # Errors
/// When there is no answer or it is not a success.
pub fn get(base: &str, path: &str) -> Result<Vec<u8>> {
    exchange(base, "GET", path, &[])
}

/// Sends a body by PUT.
///
/// # Errors
/// When there is no answer or it is not a success.
pub fn put(base: &str, path: &str, body: &[u8]) -> Result<()> {
    exchange(base, "PUT", path, body).map(drop)
}

/// Sends a body by POST.
///
/// # Errors
/// When there is no answer or it is not a success.
pub fn post(base: &str, path: &str, body: &[u8]) -> Result<()> {
    exchange(base, "POST", path, body).map(drop)
}

fn exchange(base: &str, method: &str, path: &str, body: &[u8]) -> Result<Vec<u8>> {
    let Some(authority) = base.strip_prefix("http://") else {
        bail!("not an http address: {base}");
    };
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
    // Not everything that knows localhost knows its subdomains.
    let host = if host.ends_with("localhost") {
        "127.0.0.1"
    } else {
        host
    };
    let mut stream = std::net::TcpStream::connect(format!("{host}:{port}"))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: {}\r\n\
         Content-Type: application/json\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    let mut end = None;
    let mut buffer = vec![0; 1 << 16];
    loop {
        if end.is_none() {
            end = answer.windows(4).position(|w| w == b"\r\n\r\n");
        }
        // Some servers answer with a length and keep the connection, whatever is asked of them.
        if let Some(end) = end
            && let Some(length) = content_length(&answer[..end])
            && answer.len() >= end + 4 + length
        {
            break;
        }
        match stream.read(&mut buffer)? {
            0 => break,
            n => answer.extend_from_slice(&buffer[..n]),
        }
    }
    let Some(end) = end else {
        bail!("no HTTP answer from {path}");
    };
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        bail!("{path}: {}", head.lines().next().unwrap_or_default());
    }
    Ok(answer.split_off(end + 4))
}

fn content_length(head: &[u8]) -> Option<usize> {
    let head = String::from_utf8_lossy(head);
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    })
}
