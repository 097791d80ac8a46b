//! `salus account sheet`: the recovery sheet, one page with all that is needed to use it. Must not know how
//! the words open anything.

use crate::app::App;
use crate::error::Result;
use crate::home;
use crate::output::on_terminal;
use crate::proof::PhraseArgs;
use crate::qr;
use crate::text::line;
use clap::Args;
use serde::Serialize;
use std::fmt::{self, Write as _};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Words in a row of the sheet.
const IN_A_ROW: usize = 4;

/// Where the sheet goes.
#[derive(Args, Debug)]
pub(crate) struct SheetArgs {
    #[command(flatten)]
    phrase: PhraseArgs,
    /// Write it to this new file, which only you may read, instead of showing it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What `sheet` answers.
#[derive(Serialize)]
struct Sheet {
    /// The 24 words, unless they were written to a file.
    recovery_phrase: Option<String>,
    /// They in capitals as a code, in half blocks.
    qr: Option<String>,
    address: Option<String>,
    sheet_file: Option<String>,
}

impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.recovery_phrase, &self.qr, &self.sheet_file) {
            (Some(words), Some(qr), _) => {
                let shown = Zeroizing::new(if on_terminal() {
                    qr::on_screen(qr)
                } else {
                    qr.clone()
                });
                f.write_str(&page(words, &shown, self.address.as_deref())?)
            }
            (_, _, Some(file)) => write!(
                f,
                "Your recovery sheet is in {}. Print it, then remove the file: it opens your records.",
                line(file)
            ),
            _ => Ok(()),
        }
    }
}

/// The page.
fn page(
    words: &str,
    qr: &str,
    address: Option<&str>,
) -> std::result::Result<Zeroizing<String>, fmt::Error> {
    let mut page = Zeroizing::new(String::with_capacity(16 << 10));
    page.push_str(
        "RECOVERY SHEET\n\n\
         These 24 words open your health records in Salus. Write your name on this sheet only if\n\
         it is kept where nobody else looks.\n\n",
    );
    for (place, word) in words.split_whitespace().enumerate() {
        write!(page, "  {:>2} {word:<10}", place + 1)?;
        if (place + 1).is_multiple_of(IN_A_ROW) {
            page.push('\n');
        }
    }
    page.push_str("\nThe same words for a camera:\n\n");
    page.push_str(qr.trim_end_matches('\n'));
    page.push_str("\n\nWhen you have lost everything else:\n");
    if let Some(address) = address {
        writeln!(
            page,
            "- open {address}, sign in, choose \"I have records already, and my 24 words\",\n  \
             and type them in this order;"
        )?;
    }
    page.push_str(
        "- or in a terminal: `salus identity new NAME`, then `salus account unlock --recovery FILE`\n  \
         with the words in a file.\n\n\
         Keep it on paper, away from cameras and clouds. Whoever has these words can open your\n\
         records. If you lose them and whatever else opens your account, nobody can open your\n\
         records again, not even we.\n",
    );
    Ok(page)
}

/// Runs the command.
pub(super) async fn sheet(app: &App, arguments: &SheetArgs) -> Result<()> {
    let phrase = arguments.phrase.of_account(app).await?;
    let words = phrase.to_words();
    let qr = Zeroizing::new(qr::blocks(&Zeroizing::new(words.to_uppercase()))?);
    let address = app.network()?.website_url;
    if let Some(out) = &arguments.out {
        let page = page(&words, &qr, address.as_deref())?;
        home::write_new(out, page.as_bytes())?;
    }
    let shown = arguments.out.is_none();
    app.out.answer(&Sheet {
        recovery_phrase: shown.then(|| words.to_string()),
        qr: shown.then(|| qr.to_string()),
        address,
        sheet_file: arguments
            .out
            .as_ref()
            .map(|path| path.display().to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_every_word_in_its_place() {
        let words: Vec<String> = (1..=24).map(|n| format!("word{n}")).collect();
        let page = page(&words.join(" "), "QR", Some("https://example.org/")).unwrap();
        for (place, word) in words.iter().enumerate() {
            assert!(page.contains(&format!("{:>2} {word}", place + 1)), "{word}");
        }
        assert!(page.contains("https://example.org/"));
        assert!(page.lines().all(|line| line.chars().count() <= 100));
    }
}
