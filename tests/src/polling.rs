//! Waiting for a condition, with a limit; never for a time.

use anyhow::{Result, bail};
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

/// The body of a GET to a loopback address, plain HTTP/1.1.
///
/// # Errors
/// When there is no answer or it is not 200.
pub fn get(base: &str, path: &str) -> Result<Vec<u8>> {
    use std::io::{Read, Write};
    let Some(authority) = base.strip_prefix("http://") else {
        bail!("not an http address: {base}");
    };
    let port = authority.rsplit(':').next().unwrap_or("80");
    let mut stream = std::net::TcpStream::connect(format!("127.0.0.1:{port}"))?;
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: {authority}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let Some(end) = answer.windows(4).position(|w| w == b"\r\n\r\n") else {
        bail!("no HTTP answer from {path}");
    };
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    if !head.starts_with("HTTP/1.0 200") && !head.starts_with("HTTP/1.1 200") {
        bail!("{path}: {}", head.lines().next().unwrap_or_default());
    }
    Ok(answer.split_off(end + 4))
}
