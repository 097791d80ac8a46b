//! Running other programs: echo, fail loudly, never wait for ever.
//!
//! Knows processes, not what they are for. Whatever it ends, it started itself.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// Runs a program with its output shown, and fails when it does.
pub(crate) fn step(command: &mut Command) -> Result<()> {
    let shown = show(command);
    eprintln!("$ {shown}");
    let status = command
        .status()
        .with_context(|| format!("could not start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs a program and returns what it wrote; its errors are shown.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("could not start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({})", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{shown}` wrote no UTF-8"))
}

/// What a bounded run came to.
pub(crate) struct Bounded {
    /// Whether the program ended by itself, in time, with success.
    pub(crate) success: bool,
    /// Whether it had to be ended.
    pub(crate) timed_out: bool,
}

/// Runs a program in a process group of its own, hands on every line of its output, and ends the
/// whole group when `limit` has passed.
pub(crate) fn bounded(
    command: &mut Command,
    limit: Duration,
    mut line: impl FnMut(&str) + Send,
) -> Result<Bounded> {
    let shown = show(command);
    eprintln!("$ {shown}");
    own_group(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{shown}`"))?;
    let stdout = child.stdout.take();
    let deadline = Instant::now() + limit;
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            for read in stdout
                .map(BufReader::new)
                .into_iter()
                .flat_map(BufRead::lines)
            {
                let Ok(read) = read else { break };
                println!("{read}");
                line(&read);
            }
        });
        let outcome = loop {
            if let Some(status) = child.try_wait()? {
                break Bounded {
                    success: status.success(),
                    timed_out: false,
                };
            }
            if Instant::now() > deadline {
                end_group(&mut child);
                break Bounded {
                    success: false,
                    timed_out: true,
                };
            }
            thread::sleep(Duration::from_millis(200));
        };
        // A grandchild may still hold the pipe; the summary does not wait for it.
        let patience = Instant::now() + Duration::from_secs(5);
        while !reader.is_finished() && Instant::now() < patience {
            thread::sleep(Duration::from_millis(20));
        }
        if !reader.is_finished() {
            end_group(&mut child);
        }
        Ok(outcome)
    })
}

/// Puts a program into a process group of its own, so that a terminal's Ctrl-C does not reach it.
pub(crate) fn own_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

fn end_group(child: &mut Child) {
    #[cfg(unix)]
    let _ = Command::new("kill")
        .args(["-KILL", "--", &format!("-{}", child.id())])
        .stderr(Stdio::null())
        .status();
    let _ = child.kill();
    let _ = child.wait();
}

/// The command line of a running process, if there is one by that id and the system tells.
pub(crate) fn command_line(pid: u32) -> Option<String> {
    if let Ok(bytes) = std::fs::read(format!("/proc/{pid}/cmdline")) {
        let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
        return Some(text).filter(|text| !text.trim().is_empty());
    }
    let output = Command::new("ps")
        .args(["-o", "command=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text).filter(|text| !text.trim().is_empty())
}

/// Asks one process to end (SIGTERM).
pub(crate) fn terminate(pid: u32) {
    let _ = Command::new("kill")
        .args(["-TERM", &pid.to_string()])
        .stderr(Stdio::null())
        .status();
}

fn show(command: &Command) -> String {
    let mut words = vec![
        std::path::Path::new(command.get_program())
            .file_name()
            .unwrap_or(command.get_program())
            .to_string_lossy()
            .into_owned(),
    ];
    words.extend(
        command
            .get_args()
            .map(|argument| argument.to_string_lossy().into_owned())
            .map(|word| {
                if word.starts_with("target.") {
                    "…".to_owned()
                } else {
                    word
                }
            }),
    );
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_program_that_never_ends_is_ended() {
        let started = Instant::now();
        let outcome = bounded(
            Command::new("sh").args(["-c", "echo up; sleep 60"]),
            Duration::from_millis(300),
            |_| {},
        )
        .expect("sh runs");
        assert!(outcome.timed_out && !outcome.success);
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    #[cfg(unix)]
    fn every_line_is_handed_on_and_failure_is_told() {
        let mut lines = Vec::new();
        let outcome = bounded(
            Command::new("sh").args(["-c", "echo one; echo two; exit 3"]),
            Duration::from_secs(30),
            |line| lines.push(line.to_owned()),
        )
        .expect("sh runs");
        assert!(!outcome.success && !outcome.timed_out);
        assert_eq!(lines, ["one", "two"]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_a_command_line_and_nobody_has_none() {
        assert!(command_line(std::process::id()).is_some());
        assert_eq!(command_line(u32::MAX), None);
    }
}
