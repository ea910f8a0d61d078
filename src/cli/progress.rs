//! A progress bar on standard error while a file is read, if that takes longer than a moment.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::Progress;

use super::terminal::{cut, printable};

/// Work that ends sooner shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Shows how far the work is until it is dropped.
pub(super) struct Bar {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Bar {
    /// A bar for the work that writes to `progress`; nothing where standard error is no terminal.
    pub(super) fn start(label: &str, progress: Arc<Progress>) -> Self {
        if !io::stderr().is_terminal() {
            return Bar { stop: None, thread: None };
        }
        let (stop, stopped) = mpsc::channel();
        let label = cut(&printable(label), 40);
        let watch = move || {
            let running = |wait| stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout);
            if running(PATIENCE) {
                // Hidden until it has something to show.
                let bar = ProgressBar::hidden();
                bar.set_message(label);
                show(&bar, &progress);
                bar.set_draw_target(ProgressDrawTarget::stderr());
                while running(BETWEEN_LOOKS) {
                    show(&bar, &progress);
                }
                bar.finish_and_clear();
            }
        };
        Bar { stop: Some(stop), thread: std::thread::Builder::new().spawn(watch).ok() }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        // The bar is gone before anything else is written: dropping the sender wakes the thread.
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn show(bar: &ProgressBar, progress: &Progress) {
    let (stage, done, total) = progress.state();
    let template = match (total, done) {
        (0, 0) => "{msg} {spinner} {prefix} {elapsed}",
        (0, _) => "{msg} {spinner} {prefix} {bytes} {elapsed}",
        _ => "{msg} {bar:30} {prefix} {bytes} of {total_bytes} {elapsed}",
    };
    bar.set_length(total);
    bar.set_position(if total == 0 { done } else { done.min(total) });
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(stage);
    bar.tick();
}
