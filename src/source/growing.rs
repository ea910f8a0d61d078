//! A text in the making: one thread writes it, others read what is there already.
//!
//! In memory while small, in a temporary file beyond. Bytes once written never change. Room is made
//! in steps: who holds bytes of a smaller room keeps that as long as needed.

use std::fs::File;
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;

use super::map;
use super::room::Room;
use super::spool::cannot_write;
use crate::error::Result;

/// The room that a text begins with, and how much more each next one has.
const FIRST_ROOM: usize = 256 << 10;
const STEP: usize = 4;
/// A file's room grows by a half, at least by this.
const FILE_STEP: usize = 64 << 20;
/// So many pieces may wait to be written to a file.
const WAITING: usize = 4;
/// Larger pieces do not wait: they would take much memory.
const LARGE: usize = 1 << 20;

/// Writes a text; dropped, it says that no more comes.
#[derive(Debug)]
pub struct Grower {
    shared: Arc<Shared>,
    held: Held,
    length: usize,
    bound: u64,
    likely: u64,
    threaded: bool,
}

#[derive(Debug)]
enum Held {
    Nothing,
    Memory(Room),
    File(Filed),
    /// The same, with a thread that writes.
    Behind(Writer),
}

/// Reads a text that is being written.
#[derive(Clone, Debug)]
pub struct Growing(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    so_far: Mutex<Grown>,
    changed: Condvar,
}

/// A text as it was at some moment.
#[derive(Clone, Debug, Default)]
pub struct Grown {
    /// Its bytes from the start on.
    pub text: Bytes,
    /// Whether no more came.
    pub is_whole: bool,
}

/// Work on a text before it is whole; who made it knows what it is.
pub type Ahead = Box<dyn std::any::Any + Send>;

/// A text of which at most `bound` bytes are held in memory: its writer and a reader. One that will
/// `likely` have more goes to a file from its start; if `threaded`, by a thread of its own.
pub fn growing(bound: u64, likely: u64, threaded: bool) -> (Grower, Growing) {
    let shared = Arc::new(Shared::default());
    let (held, length) = (Held::Nothing, 0);
    (Grower { shared: shared.clone(), held, length, bound, likely, threaded }, Growing(shared))
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Grown> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, text: Bytes) {
        self.lock().text = text;
        self.changed.notify_all();
    }
}

impl Grower {
    /// Adds the bytes of the buffer, in whose place there may be another then, with anything in it.
    pub fn write(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.length += bytes.len();
        match &mut self.held {
            Held::Memory(room) if room.has_room(bytes.len()) => {
                room.add(bytes);
                self.shared.show(room.written());
                Ok(())
            }
            Held::File(filed) => filed.add(bytes),
            Held::Behind(writer) => writer.add(bytes),
            Held::Memory(_) | Held::Nothing => self.move_on(bytes),
        }
    }

    /// Adds bytes for which there is no room.
    fn move_on(&mut self, bytes: &[u8]) -> Result<()> {
        let before = match std::mem::replace(&mut self.held, Held::Nothing) {
            Held::Memory(room) => room.written(),
            _ => Bytes::new(),
        };
        let may_be_held = self.length as u64 <= self.bound;
        if may_be_held && self.likely <= self.bound {
            return self.in_memory(&before, bytes);
        }
        let file = match tempfile::tempfile() {
            Ok(file) => file,
            Err(_) if may_be_held => return self.in_memory(&before, bytes),
            Err(error) => return Err(cannot_write(error)),
        };
        let mut filed =
            Filed { file, mapped: Bytes::new(), length: 0, shared: self.shared.clone() };
        filed.add(&before)?;
        filed.add(bytes)?;
        self.held = if self.threaded { Writer::of(filed) } else { Held::File(filed) };
        Ok(())
    }

    fn in_memory(&mut self, before: &[u8], bytes: &[u8]) -> Result<()> {
        let bound = usize::try_from(self.bound).unwrap_or(usize::MAX);
        let wanted = before.len().saturating_mul(STEP).max(FIRST_ROOM).min(bound);
        let mut room = Room::new(wanted.max(self.length))?;
        room.add(before);
        room.add(bytes);
        self.shared.show(room.written());
        self.held = Held::Memory(room);
        Ok(())
    }

    /// No more comes. All the bytes.
    pub fn finish(mut self) -> Result<Bytes> {
        if let Held::Behind(writer) = &mut self.held {
            writer.end()?;
        }
        Ok(self.shared.lock().text.clone())
    }
}

/// A text in a file.
#[derive(Debug)]
struct Filed {
    file: File,
    /// The file's map, which has room behind what was written.
    mapped: Bytes,
    length: usize,
    shared: Arc<Shared>,
}

impl Filed {
    fn add(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(cannot_write)?;
        self.length += bytes.len();
        if self.length > self.mapped.len() {
            let room = self.length + (self.length / 2).max(FILE_STEP);
            self.mapped = map::map_room(&self.file, room).map_err(cannot_write)?;
        }
        self.shared.show(self.mapped.slice(..self.length));
        Ok(())
    }
}

/// A thread that writes to a file what another makes.
#[derive(Debug)]
struct Writer {
    /// Gone when no more comes.
    pieces: Option<SyncSender<Vec<u8>>>,
    /// Buffers to be used again.
    used: Receiver<Vec<u8>>,
    waiting: usize,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Writer {
    /// Where there is no thread the caller writes.
    fn of(filed: Filed) -> Held {
        let (pieces, given) = sync_channel::<Vec<u8>>(WAITING);
        let (give_back, used) = channel();
        let (hand_over, handed_over) = channel::<Filed>();
        let write = move || {
            let Ok(mut filed) = handed_over.recv() else { return Ok(()) };
            for piece in given {
                filed.add(&piece)?;
                // Nobody may be there any more to use it.
                let _ = give_back.send(piece);
            }
            Ok(())
        };
        match std::thread::Builder::new().name("tablemill-spool".into()).spawn(write) {
            Ok(thread) => match hand_over.send(filed) {
                Ok(()) => {
                    let (pieces, thread) = (Some(pieces), Some(thread));
                    Held::Behind(Writer { pieces, used, waiting: 0, thread })
                }
                Err(unsent) => Held::File(unsent.0),
            },
            Err(_) => Held::File(filed),
        }
    }

    fn add(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        let is_large = bytes.len() > LARGE;
        let used = self.used.try_recv().inspect(|_| self.waiting -= 1);
        let piece = std::mem::replace(bytes, used.unwrap_or_default());
        let mut is_taken = self.pieces.as_ref().is_some_and(|pieces| pieces.send(piece).is_ok());
        self.waiting += 1;
        while is_taken && is_large && self.waiting > 0 {
            is_taken = self.used.recv().is_ok();
            self.waiting -= 1;
        }
        if is_taken {
            return Ok(());
        }
        // It has ended before its time.
        self.end().and_then(|()| Err(io::Error::from(io::ErrorKind::BrokenPipe).into()))
    }

    /// Waits until all is written.
    fn end(&mut self) -> Result<()> {
        self.pieces = None;
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl Drop for Grower {
    fn drop(&mut self) {
        if let Held::Behind(writer) = &mut self.held {
            // Who wants to know of its error has called `finish`.
            let _ = writer.end();
        }
        self.shared.lock().is_whole = true;
        self.shared.changed.notify_all();
    }
}

impl Growing {
    /// Waits until so many bytes are there, or no more come.
    pub fn wait(&self, bytes: usize) -> Grown {
        let mut so_far = self.0.lock();
        while so_far.text.len() < bytes && !so_far.is_whole {
            so_far = self.0.changed.wait(so_far).unwrap_or_else(PoisonError::into_inner);
        }
        so_far.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays_as_it_was() {
        let text: Vec<u8> = (0..3_000_000u32).map(|at| (at * 7 / 3) as u8).collect();
        let bounds = [(0, 0), (1, 0), (300_000, 0), (1 << 20, 2 << 20), (1 << 30, 0)];
        for ((bound, likely), threaded) in
            bounds.into_iter().flat_map(|bound| [(bound, false), (bound, true)])
        {
            let (mut grower, growing) = growing(bound, likely, threaded);
            let written = std::thread::scope(|scope| {
                let reader = scope.spawn(|| {
                    let mut all = Vec::new();
                    loop {
                        let grown = growing.wait(all.len() * 200_000);
                        let is_whole = grown.is_whole;
                        all.push(grown.text);
                        if is_whole {
                            return all;
                        }
                    }
                });
                let mut buffer = Vec::new();
                for piece in text.chunks(77_777) {
                    buffer.clear();
                    buffer.extend_from_slice(piece);
                    grower.write(&mut buffer).unwrap();
                }
                assert_eq!(grower.finish().unwrap(), text);
                reader.join().unwrap()
            });
            assert_eq!(written.last().unwrap().len(), text.len());
            for part in written {
                assert!(part == text[..part.len()], "{bound}: {}", part.len());
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_cannot_be_written_is_an_error() {
        let full = || File::options().read(true).write(true).open("/dev/full").unwrap();
        let filed = |file| Filed { file, mapped: Bytes::new(), length: 0, shared: Arc::default() };
        for held in [Held::File(filed(full())), Writer::of(filed(full()))] {
            let (mut grower, growing) = growing(0, 0, true);
            grower.held = held;
            let written: Result<()> = (0..20).try_for_each(|_| grower.write(&mut vec![7; 100]));
            let said = written.and_then(|()| grower.finish().map(|_| ())).unwrap_err();
            assert_eq!(said.kind(), crate::ErrorKind::Io);
            assert!(growing.wait(1).is_whole);
        }
    }

    #[test]
    fn a_writer_that_gives_up_ends_the_text() {
        let (mut grower, growing) = growing(10, 0, true);
        grower.write(&mut b"abc".to_vec()).unwrap();
        assert_eq!(growing.wait(3).text, "abc");
        drop(grower);
        let grown = growing.wait(4);
        assert!(grown.is_whole && grown.text == "abc");
    }
}
