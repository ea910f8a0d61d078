//! A worker that goes wrong when told to: in debug builds only, for the tests of its parent.

use super::wire::Task;

/// Does what the environment says, to a file called `bomb` and to every query.
pub(super) fn go_off(task: &Task) {
    if matches!(task, Task::Ingest { name, .. } if name != "bomb") {
        return;
    }
    match std::env::var("TABLEMILL_WORKER_TEST").as_deref() {
        Ok("abort") => std::process::abort(),
        Ok("overflow") => drop(std::hint::black_box(deeper(1))),
        Ok("panic") => std::panic::panic_any("told to"),
        Ok("allocate") => drop(std::hint::black_box(Vec::<u8>::with_capacity(1 << 40))),
        Ok("hoard") => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
        Ok("spin") => loop {
            std::hint::spin_loop();
        },
        _ => {}
    }
}

#[expect(unconditional_recursion, reason = "that is what it is for")]
fn deeper(depth: u64) -> u64 {
    std::hint::black_box(deeper(std::hint::black_box(depth) + 1)) + depth
}
