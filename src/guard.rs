//! A panic in a crate below us becomes an error: no input may end the process.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::Result;
use crate::report::{Code, Issue, Stage};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a reader; a panic inside becomes a `corrupt` error of the given stage.
pub(crate) fn guarded<T>(stage: Stage, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.unwrap_or_else(|panic| {
        let text = text(&*panic);
        let (code, message) = match text.contains("not supported") {
            true => (Code::UnsupportedFeature, format!("the {what} reader says: {text}")),
            false => (Code::Corrupt, format!("the {what} reader gave up on damaged data: {text}")),
        };
        Err(Issue::error(stage, code, message).into())
    })
}

/// Runs a writer; a panic inside becomes an `unsupported_feature` error: what is written was read
/// before, so it is not damaged.
pub(crate) fn guarded_writer<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.unwrap_or_else(|panic| {
        let message =
            format!("the {what} writer does not know how to write this: {}", text(&*panic));
        let issue = Issue::error(Stage::Parse, Code::UnsupportedFeature, message);
        Err(issue.hint("write it in another format").into())
    })
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// Keeps the process's panic message for panics that are not turned into errors. A face calls this
/// once at its start; the library itself never touches the hook.
pub fn quiet_guarded_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                before(info);
            }
        }));
    });
}
