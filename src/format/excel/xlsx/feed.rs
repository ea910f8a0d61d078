//! A part's bytes on their way from the inflater to whoever reads the XML, on one thread or two.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};

use super::xml::{Blocks, Xml};
use crate::decompress::{PartStream, Parts};
use crate::error::Result;
use crate::guard::guarded;
use crate::limits::Limits;
use crate::report::Stage;

/// Bytes that are inflated at a time.
const BLOCK: usize = 256 << 10;
/// Blocks that may wait to be read.
const AHEAD: usize = 4;

/// A workbook's parts under its limits.
pub(in crate::format::excel) struct Limited<'a> {
    parts: &'a Parts,
    pub limits: &'a Limits,
    given: AtomicU64,
    stop: Option<&'a AtomicBool>,
}

impl<'a> Limited<'a> {
    pub fn new(parts: &'a Parts, limits: &'a Limits) -> Self {
        Limited { parts, limits, given: AtomicU64::new(0), stop: None }
    }

    /// Ends what is read as soon as the flag is up.
    pub fn until(self, stop: &'a AtomicBool) -> Self {
        Limited { stop: Some(stop), ..self }
    }

    pub fn has(&self, part: &str) -> bool {
        self.parts.has(part)
    }

    /// The bytes that came out of all parts that were read.
    pub fn given(&self) -> u64 {
        self.given.load(Ordering::Relaxed)
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}

/// Hands a part to `work` as XML. With `overlap` a second thread inflates it.
pub(in crate::format::excel) fn with_xml<T>(
    parts: &Limited<'_>,
    part: &str,
    overlap: bool,
    work: impl FnOnce(&mut Xml<'_>) -> Result<T>,
) -> Result<T> {
    if !overlap || parts.parts.declared_size(part) <= BLOCK as u64 {
        return parts.parts.stream(part, parts.limits, |stream| {
            read(&mut Direct { stream, parts }, part, parts, work)
        });
    }
    std::thread::scope(|scope| {
        let (full, to_read) = sync_channel::<Result<Vec<u8>>>(AHEAD);
        let (empty, to_fill) = channel::<Vec<u8>>();
        scope.spawn(move || {
            let inflate = || {
                parts.parts.stream(part, parts.limits, |stream| {
                    loop {
                        let mut block = to_fill.try_recv().unwrap_or_default();
                        block.clear();
                        // Nobody listens any more once reading has failed.
                        if !stream.fill(&mut block, BLOCK)? || full.send(Ok(block)).is_err() {
                            return Ok(());
                        }
                    }
                })
            };
            if let Err(error) = guarded(Stage::Parse, "xlsx", inflate) {
                let _ = full.send(Err(error));
            }
        });
        read(&mut FromThread { full: to_read, empty, parts }, part, parts, work)
    })
}

fn read<T>(
    blocks: &mut dyn Blocks,
    part: &str,
    parts: &Limited<'_>,
    work: impl FnOnce(&mut Xml<'_>) -> Result<T>,
) -> Result<T> {
    let mut xml = Xml::new(blocks, part, parts.limits)?;
    let result = work(&mut xml)?;
    xml.drain()?;
    Ok(result)
}

struct Direct<'a, 'b, 'c> {
    stream: &'a mut PartStream<'b>,
    parts: &'a Limited<'c>,
}

impl Blocks for Direct<'_, '_, '_> {
    fn next(&mut self, into: &mut Vec<u8>) -> Result<bool> {
        if self.parts.is_stopped() {
            return Ok(false);
        }
        let before = self.stream.given();
        let more = self.stream.fill(into, BLOCK)?;
        self.parts.given.fetch_add(self.stream.given() - before, Ordering::Relaxed);
        Ok(more)
    }
}

struct FromThread<'a, 'c> {
    full: Receiver<Result<Vec<u8>>>,
    empty: Sender<Vec<u8>>,
    parts: &'a Limited<'c>,
}

impl Blocks for FromThread<'_, '_> {
    fn next(&mut self, into: &mut Vec<u8>) -> Result<bool> {
        let Ok(block) = self.full.recv() else { return Ok(false) };
        let block = block?;
        self.parts.given.fetch_add(block.len() as u64, Ordering::Relaxed);
        into.extend_from_slice(&block);
        // The inflater may be done.
        let _ = self.empty.send(block);
        Ok(true)
    }
}
