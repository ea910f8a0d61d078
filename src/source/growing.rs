//! A text in the making: one thread writes it, others read what is there already.
//!
//! In memory while small, in a temporary file beyond. Bytes once written never change. Room is made
//! in steps: who holds bytes of a smaller room keeps that as long as needed.

use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

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

/// Writes a text; dropped, it says that no more comes.
#[derive(Debug)]
pub struct Grower {
    shared: Arc<Shared>,
    held: Held,
    length: usize,
    bound: u64,
    likely: u64,
}

#[derive(Debug)]
enum Held {
    Nothing,
    Memory(Room),
    /// The file, and the map of it, which has room behind what was written.
    File(File, Bytes),
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
/// `likely` have more goes to a file from its start.
pub fn growing(bound: u64, likely: u64) -> (Grower, Growing) {
    let shared = Arc::new(Shared::default());
    let grower = Grower { shared: shared.clone(), held: Held::Nothing, length: 0, bound, likely };
    (grower, Growing(shared))
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Grown> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Grower {
    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let length = self.length + bytes.len();
        let text = match &mut self.held {
            Held::Memory(room) if room.has_room(bytes.len()) => {
                room.add(bytes);
                room.written()
            }
            Held::File(file, mapped) if length <= mapped.len() => {
                file.write_all(bytes).map_err(cannot_write)?;
                mapped.slice(..length)
            }
            _ => self.move_on(bytes)?,
        };
        self.length = length;
        self.shared.lock().text = text;
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Adds bytes for which there is no room.
    fn move_on(&mut self, bytes: &[u8]) -> Result<Bytes> {
        let length = self.length + bytes.len();
        let before = match std::mem::replace(&mut self.held, Held::Nothing) {
            Held::File(file, _) => return self.in_file(file, &[bytes], length),
            Held::Memory(room) => room.written(),
            Held::Nothing => Bytes::new(),
        };
        let may_be_held = length as u64 <= self.bound;
        if may_be_held && self.likely <= self.bound {
            return self.in_memory(&[&before, bytes], length);
        }
        match tempfile::tempfile() {
            Ok(file) => self.in_file(file, &[&before, bytes], length),
            Err(_) if may_be_held => self.in_memory(&[&before, bytes], length),
            Err(error) => Err(cannot_write(error)),
        }
    }

    fn in_memory(&mut self, pieces: &[&[u8]], length: usize) -> Result<Bytes> {
        let bound = usize::try_from(self.bound).unwrap_or(usize::MAX);
        let wanted = self.length.saturating_mul(STEP).max(FIRST_ROOM).min(bound);
        let mut room = Room::new(wanted.max(length))?;
        pieces.iter().for_each(|piece| room.add(piece));
        let text = room.written();
        self.held = Held::Memory(room);
        Ok(text)
    }

    fn in_file(&mut self, mut file: File, pieces: &[&[u8]], length: usize) -> Result<Bytes> {
        for piece in pieces {
            file.write_all(piece).map_err(cannot_write)?;
        }
        let mapped =
            map::map_room(&file, length + (length / 2).max(FILE_STEP)).map_err(cannot_write)?;
        let text = mapped.slice(..length);
        self.held = Held::File(file, mapped);
        Ok(text)
    }

    /// No more comes. All the bytes.
    pub fn finish(self) -> Bytes {
        self.shared.lock().text.clone()
    }
}

impl Drop for Grower {
    fn drop(&mut self) {
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
        for (bound, likely) in [(0, 0), (1, 0), (300_000, 0), (1 << 20, 2 << 20), (1 << 30, 0)] {
            let (mut grower, growing) = growing(bound, likely);
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
                for piece in text.chunks(77_777) {
                    grower.write(piece).unwrap();
                }
                assert_eq!(grower.finish(), text);
                reader.join().unwrap()
            });
            assert_eq!(written.last().unwrap().len(), text.len());
            for part in written {
                assert!(part == text[..part.len()], "{bound}: {}", part.len());
            }
        }
    }

    #[test]
    fn a_writer_that_gives_up_ends_the_text() {
        let (mut grower, growing) = growing(10, 0);
        grower.write(b"abc").unwrap();
        assert_eq!(growing.wait(3).text, "abc");
        drop(grower);
        let grown = growing.wait(4);
        assert!(grown.is_whole && grown.text == "abc");
    }
}
