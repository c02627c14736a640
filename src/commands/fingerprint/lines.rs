//! Lines of a file or of standard input, in windows.
//!
//! A window closes when it is full, when the input pauses, or when its first line has waited long enough:
//! a look at many lines groups them better, and whoever follows a log wants them soon.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::problem::Problem;

/// Lines that may be held.
const LINES: usize = 8_192;
/// Bytes that may be held.
const BYTES: usize = 8 << 20;
/// Bytes kept of one line; the miner reads fewer.
const LINE: usize = 16 << 10;
/// Silence that counts as a pause.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a line may be held while more come.
const PATIENCE: Duration = Duration::from_secs(2);

/// Some lines, and the number of the first.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) first: u64,
    pub(super) lines: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Lines {
    batches: Receiver<std::io::Result<Vec<String>>>,
    /// Lines that arrived with others and found the window full.
    waiting: std::vec::IntoIter<String>,
    next: u64,
    /// A file does not pause; a pipe and a terminal do.
    may_pause: bool,
    /// Of the file; none for standard input.
    name: Option<String>,
}

impl Lines {
    pub(super) fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let input: Box<dyn Read + Send> = match file {
            None => Box::new(std::io::stdin()),
            Some(path) => Box::new(std::fs::File::open(path).map_err(|error| unreadable(path, &error))?),
        };
        let path = file.unwrap_or(Path::new("/dev/stdin"));
        let about = std::fs::metadata(path);
        // Opening a directory goes well; reading it does not.
        if about.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
            return Err(directory(file).into());
        }
        let is_file = about.is_ok_and(|input| input.is_file());
        let (sender, batches) = sync_channel(16);
        std::thread::Builder::new().name("lines".into()).spawn(move || read(input, &sender))?;
        let name = file.map(|path| path.display().to_string());
        Ok(Self { batches, waiting: Vec::new().into_iter(), next: 1, may_pause: !is_file, name })
    }

    /// The next lines; none at the end of the input.
    pub(super) fn next_window(&mut self) -> anyhow::Result<Option<Window>> {
        let mut window = Window { first: self.next, lines: Vec::new() };
        let mut bytes = 0;
        let mut opened = None;
        loop {
            for line in self.waiting.by_ref() {
                bytes += line.len();
                window.lines.push(line);
                if window.lines.len() >= LINES || bytes >= BYTES {
                    return Ok(Some(self.close(window)));
                }
            }
            if window.lines.is_empty() {
                match self.batches.recv() {
                    Ok(batch) => self.waiting = self.taken(batch)?,
                    Err(_) => return Ok(None),
                }
                opened = Some(Instant::now());
                continue;
            }
            if !self.may_pause {
                match self.batches.recv() {
                    Ok(batch) => self.waiting = self.taken(batch)?,
                    Err(_) => return Ok(Some(self.close(window))),
                }
                continue;
            }
            let left = opened.map_or(PATIENCE, |opened| PATIENCE.saturating_sub(opened.elapsed()));
            match self.batches.recv_timeout(PAUSE.min(left)) {
                Ok(batch) => self.waiting = self.taken(batch)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Ok(Some(self.close(window)));
                }
            }
        }
    }

    fn taken(&self, batch: std::io::Result<Vec<String>>) -> anyhow::Result<std::vec::IntoIter<String>> {
        let lines = batch.map_err(|error| {
            let path = self.name.as_deref().unwrap_or("standard input");
            unreadable(Path::new(path), &error)
        })?;
        Ok(lines.into_iter())
    }

    fn close(&mut self, window: Window) -> Window {
        self.next += window.lines.len() as u64;
        window
    }
}

const HINT: &str = "name a file with one message per line, or pipe them in: noetl fingerprint < FILE";

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::usage(format!("cannot read {}: {error}", path.display())).hint(HINT)
}

fn directory(path: Option<&Path>) -> Problem {
    match path {
        Some(path) => {
            let path = path.display();
            Problem::usage(format!("{path} is a directory, not a file of messages"))
                .hint(format!("to read all its files, type: cat {path}/* | noetl fingerprint"))
        }
        None => Problem::usage("standard input is a directory, not a file of messages").hint(HINT),
    }
}

/// Sends lines as they come, as many at once as one read brought.
fn read(input: impl Read, batches: &SyncSender<std::io::Result<Vec<String>>>) {
    let mut input = BufReader::with_capacity(64 << 10, input);
    let mut open = Vec::new();
    let mut is_open = false;
    loop {
        let mut lines = Vec::new();
        let consumed = match input.fill_buf() {
            Ok([]) => break,
            Ok(bytes) => {
                for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
                    let (text, ends) = piece.strip_suffix(b"\n").map_or((piece, false), |text| (text, true));
                    // What is too long is read and let go.
                    open.extend_from_slice(&text[..text.len().min(LINE - open.len())]);
                    is_open = !ends;
                    if ends {
                        lines.push(text_of(&mut open));
                    }
                }
                bytes.len()
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                // Nobody listens when the program is about to end.
                let _ = batches.send(Err(error));
                return;
            }
        };
        input.consume(consumed);
        if !lines.is_empty() && batches.send(Ok(lines)).is_err() {
            return;
        }
    }
    if is_open {
        let _ = batches.send(Ok(vec![text_of(&mut open)]));
    }
}

fn text_of(open: &mut Vec<u8>) -> String {
    let text = String::from_utf8_lossy(open.strip_suffix(b"\r").unwrap_or(open)).into_owned();
    open.clear();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(input: &[u8]) -> Vec<String> {
        let (sender, batches) = sync_channel(99);
        read(input, &sender);
        drop(sender);
        batches.into_iter().flat_map(|batch| batch.expect("memory can be read")).collect()
    }

    #[test]
    fn lines_are_whole_whatever_ends_them() {
        assert_eq!(all(b""), [""; 0]);
        assert_eq!(all(b"a\n\nb\r\nc"), ["a", "", "b", "c"]);
        assert_eq!(all(b"a\n"), ["a"]);
        assert_eq!(all(b"\xff\n"), ["\u{fffd}"]);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut long = vec![b'x'; 1 << 20];
        long.extend_from_slice(b"\nnext");
        let lines = all(&long);
        assert_eq!((lines[0].len(), lines[1].as_str(), lines.len()), (LINE, "next", 2));
    }
}
