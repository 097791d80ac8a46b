//! `salus export`: the account as a file, to be kept or taken elsewhere.

use crate::app::App;
use crate::error::{Error, Result};
use crate::home;
use crate::session::Session;
use crate::text::{size, time};
use crate::watch::Watch;
use clap::Args;
use salus_client::{Exported, SourceError};
use serde::Serialize;
use std::fmt;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

#[derive(Args, Debug)]
pub(crate) struct ExportArgs {
    /// The new file; it opens with your recovery phrase only
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Serialize)]
struct Report {
    file: String,
    versions: u64,
    /// Bytes of sealed parts.
    bytes: u64,
    operations: u64,
    entries: u64,
    /// When the network certified where the chains end, milliseconds since 1970.
    certified_at: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Written to {}: {} versions ({}), certified by the network at {}.\n\
             It is sealed: it opens with your recovery phrase only.",
            self.file,
            self.versions,
            size(self.bytes),
            time(self.certified_at)
        )
    }
}

/// Runs the command.
pub(crate) async fn run(app: &App, arguments: &ExportArgs) -> Result<()> {
    let session = Session::open(app).await?;
    let path = &arguments.file;
    let file = home::create_new(path)?;
    let written = write(&session, path, file).await;
    if written.is_err() {
        // Half an account is worse than none.
        let _ = std::fs::remove_file(path);
    }
    let exported = written?;
    app.out.answer(&Report {
        file: path.display().to_string(),
        versions: exported.versions,
        bytes: exported.bytes,
        operations: exported.operations,
        entries: exported.entries,
        certified_at: exported.certified_at,
    })
}

async fn write(session: &Session<'_>, path: &Path, file: std::fs::File) -> Result<Exported> {
    let watch = Watch::new(session.app.out, "your account");
    let mut file = BufWriter::new(file);
    let exported = session
        .unlocked
        .export(&watch, &mut |bytes| {
            let failed =
                |error| SourceError(format!("could not write {}: {error}", path.display()));
            file.write_all(bytes).map_err(failed)
        })
        .await?;
    file.into_inner()
        .map_err(std::io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all())
        .map_err(|error| Error::file("write", path, &error))?;
    Ok(exported)
}
