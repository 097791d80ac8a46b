//! The journal's bytes: `"SLN1" ‖ length u64 ‖ body ‖ CRC-32 of body`, numbers little end first.

use super::Batch;
use std::io;
use std::path::Path;

const MAGIC: &[u8; 4] = b"SLN1";

/// Bytes to write into a file.
pub(super) struct PageWrite {
    /// Path relative to the state folder.
    pub(super) file: String,
    /// Where.
    pub(super) offset: u64,
    /// What.
    pub(super) bytes: Vec<u8>,
}

/// One commit.
#[derive(Default)]
pub(super) struct Record {
    /// Values by key; none deletes.
    pub(super) values: Vec<(String, Option<Vec<u8>>)>,
    /// Pages.
    pub(super) pages: Vec<PageWrite>,
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Encodes a batch.
pub(super) fn encode(dir: &Path, batch: &Batch) -> Vec<u8> {
    let size: usize = batch
        .pages
        .iter()
        .flat_map(|(_, runs)| runs)
        .map(|(_, bytes)| bytes.len() + 256)
        .sum();
    let mut out = Vec::with_capacity(size + 4096);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[0; 8]);
    for (key, value) in &batch.values {
        out.push(match value {
            Some(_) => b'+',
            None => b'-',
        });
        put(&mut out, key.as_bytes());
        if let Some(value) = value {
            put(&mut out, value);
        }
    }
    for (file, runs) in &batch.pages {
        let path = file.path().strip_prefix(dir).unwrap_or(file.path());
        for (offset, bytes) in runs {
            out.push(b'p');
            put(&mut out, path.to_string_lossy().as_bytes());
            out.extend_from_slice(&offset.to_le_bytes());
            put(&mut out, bytes);
        }
    }
    let (head, body) = out.split_at_mut(12);
    let (_, length) = head.split_at_mut(4);
    length.copy_from_slice(&(body.len() as u64).to_le_bytes());
    let crc = crc32fast::hash(body);
    out.extend_from_slice(&crc.to_le_bytes());
    out
}

/// Reads all whole commits of a journal; what follows a torn one was never acknowledged.
pub(super) fn read(path: &Path) -> io::Result<Vec<Record>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut rest = bytes.as_slice();
    let mut records = Vec::new();
    while let Some((body, after)) = frame(rest) {
        let Some(record) = decode(body) else { break };
        records.push(record);
        rest = after;
    }
    Ok(records)
}

fn frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (body, rest) = rest.split_at_checked(length)?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    (crc32fast::hash(body) == u32::from_le_bytes(*crc)).then_some((body, rest))
}

fn decode(mut body: &[u8]) -> Option<Record> {
    let mut record = Record::default();
    while let Some((&kind, rest)) = body.split_first() {
        let (name, rest) = take(rest)?;
        let name = String::from_utf8(name.to_vec()).ok()?;
        body = match kind {
            b'+' => {
                let (value, rest) = take(rest)?;
                record.values.push((name, Some(value.to_vec())));
                rest
            }
            b'-' => {
                record.values.push((name, None));
                rest
            }
            b'p' => {
                let (offset, rest) = rest.split_first_chunk::<8>()?;
                let (bytes, rest) = take(rest)?;
                record.pages.push(PageWrite {
                    file: name,
                    offset: u64::from_le_bytes(*offset),
                    bytes: bytes.to_vec(),
                });
                rest
            }
            _ => return None,
        };
    }
    Some(record)
}

fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}
