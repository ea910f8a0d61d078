//! Bytes per second from a file to its tables and report: every format bare, and csv in every
//! wrapping. Run it with `cargo bench --bench end_to_end`.
//!
//! Throughput counts the bytes of the file as it is, except for wrapped csv, where it counts those
//! of the csv inside. Allocation is the system's: the command line sets its own allocator, the
//! library none.

mod corpus;

use std::path::Path;

use corpus::{CORPUS, File, bare_files, read, wrapped_files};
use criterion::{BatchSize, Criterion, SamplingMode, Throughput};
use tablemill::{Options, Source};

fn main() {
    let mut criterion = corpus::criterion();
    let bare = bare_files();
    from_memory("bare", &bare, &mut criterion);
    from_memory("wrapped", &wrapped_files(), &mut criterion);
    from_disk(&bare[0], &mut criterion);
    criterion.final_summary();
}

/// Each file from memory. Dropping the tables is not measured.
fn from_memory(name: &str, files: &[File], criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(format!("{CORPUS}/end to end, {name}"));
    group.sampling_mode(SamplingMode::Flat);
    for file in files {
        group.throughput(Throughput::BytesDecimal(file.counted));
        group.bench_function(file.name, |bencher| {
            bencher.iter_batched(
                || file.source(),
                |source| read(source, &Options::default()),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// The csv from a file on disk, which is mapped; the system has it in its cache.
fn from_disk(file: &File, criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let path = folder.path().join(file.name);
    std::fs::write(&path, &file.bytes).expect("the corpus fits on disk");
    let mut group = criterion.benchmark_group(format!("{CORPUS}/end to end, mapped"));
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::BytesDecimal(file.counted));
    group.bench_function(file.name, |bencher| {
        bencher.iter_batched(
            || Source::path(Path::new(&path)),
            |source| read(source, &Options::default()),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}
