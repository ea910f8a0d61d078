//! Stored bytes: written once under a fresh name, read, deleted; never changed in place.
//!
//! Bytes go to a temporary name beside the final one and are renamed when complete, so a blob is
//! whole or not there. Memory does not grow with a blob: few parts are on their way at a time.

use std::collections::HashSet;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt, WriteMultipart};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::error::Result;
use super::records::{StoredBytes, new_id};

/// Bytes written in one go.
const PART_BYTES: usize = 4 << 20;
/// Parts that may be on their way to the disk.
const PARTS_IN_FLIGHT: usize = 2;

/// A folder of stored bytes.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<LocalFileSystem>,
    folder: PathBuf,
}

impl Blobs {
    /// Opens the folder, which is made if it is not there.
    pub fn open(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let store = Arc::new(LocalFileSystem::new_with_prefix(&folder)?);
        Ok(Blobs { store, folder })
    }

    /// Begins a blob under a fresh name. Dropped before its end it leaves nothing behind.
    pub async fn create(&self) -> Result<BlobWriter> {
        let blob = new_id();
        let upload = self.store.put_multipart(&key(&blob)).await?;
        let upload = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        Ok(BlobWriter { blob, upload, bytes: 0 })
    }

    /// A part of a blob, as a stream.
    pub async fn read(
        &self,
        blob: &str,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>> {
        if range.is_empty() {
            return Ok(futures::stream::empty().boxed());
        }
        let options = GetOptions { range: Some(range.into()), ..GetOptions::default() };
        let found = self.store.get_opts(&key(blob), options).await?;
        Ok(found.into_stream().map_err(io::Error::other).boxed())
    }

    /// Where a blob lies on this machine, to be mapped into memory.
    pub fn path(&self, blob: &str) -> PathBuf {
        self.folder.join(&blob[..blob.len().min(2)]).join(blob)
    }

    /// Deletes blobs; one that is gone already is no error, and neither is one that will not go:
    /// the next start sweeps it up.
    pub async fn delete(&self, blobs: &[String]) {
        for blob in blobs {
            let _ = self.store.delete(&key(blob)).await;
        }
    }

    /// Deletes all but `keep`, and what an earlier run left half-written. Only for the one process
    /// that owns the folder, before it serves anybody.
    pub async fn sweep(&self, keep: HashSet<String>) -> Result<()> {
        let folder = self.folder.clone();
        tokio::task::spawn_blocking(move || -> io::Result<()> {
            for shelf in std::fs::read_dir(folder)? {
                let shelf = shelf?.path();
                if !shelf.is_dir() {
                    continue;
                }
                for file in std::fs::read_dir(shelf)? {
                    let file = file?;
                    if !file.file_name().to_str().is_some_and(|name| keep.contains(name)) {
                        std::fs::remove_file(file.path())?;
                    }
                }
            }
            Ok(())
        })
        .await??;
        Ok(())
    }
}

/// Shelves of two hex digits keep folders small.
fn key(blob: &str) -> Key {
    Key::from_iter([&blob[..blob.len().min(2)], blob])
}

/// A blob in the making.
#[derive(Debug)]
pub struct BlobWriter {
    blob: String,
    upload: WriteMultipart,
    bytes: u64,
}

impl BlobWriter {
    /// Adds bytes without copying them; waits while the disk is behind.
    pub async fn put(&mut self, bytes: Bytes) -> Result<()> {
        self.upload.wait_for_capacity(PARTS_IN_FLIGHT).await?;
        self.bytes += bytes.len() as u64;
        self.upload.put(bytes);
        Ok(())
    }

    /// How many bytes were added.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes the blob visible and gives its name.
    pub async fn finish(self) -> Result<String> {
        self.upload.finish().await?;
        Ok(self.blob)
    }

    /// The same for code that blocks, on a thread where that is allowed.
    pub fn blocking(self, runtime: Handle) -> BlockingBlobWriter {
        BlockingBlobWriter { writer: self, runtime }
    }
}

/// A [`BlobWriter`] for code that blocks.
#[derive(Debug)]
pub struct BlockingBlobWriter {
    writer: BlobWriter,
    runtime: Handle,
}

impl BlockingBlobWriter {
    /// Makes the blob visible and gives its name.
    pub fn finish(self) -> Result<String> {
        let BlockingBlobWriter { writer, runtime } = self;
        runtime.block_on(writer.finish())
    }
}

impl io::Write for BlockingBlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let BlockingBlobWriter { writer, runtime } = self;
        runtime
            .block_on(writer.upload.wait_for_capacity(PARTS_IN_FLIGHT))
            .map_err(io::Error::other)?;
        // Parts are sent to the disk by tasks, which need the runtime around them.
        let _inside = runtime.enter();
        writer.upload.write(bytes);
        writer.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An upload in the making: a blob and the digest of its bytes.
#[derive(Debug)]
pub struct UploadWriter {
    writer: BlobWriter,
    digest: Sha256,
}

impl UploadWriter {
    /// Begins an upload.
    pub async fn create(blobs: &Blobs) -> Result<Self> {
        Ok(UploadWriter { writer: blobs.create().await?, digest: Sha256::new() })
    }

    /// Adds bytes.
    pub async fn put(&mut self, bytes: Bytes) -> Result<()> {
        self.digest.update(&bytes);
        self.writer.put(bytes).await
    }

    /// How many bytes were added.
    pub fn bytes(&self) -> u64 {
        self.writer.bytes()
    }

    /// Makes the bytes visible and says what they are.
    pub async fn finish(self) -> Result<StoredBytes> {
        let sha256 = format!("{:x}", self.digest.finalize());
        let bytes = self.writer.bytes();
        Ok(StoredBytes { blob: self.writer.finish().await?, bytes, sha256 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_all(blobs: &Blobs, blob: &str, range: Range<u64>) -> Vec<u8> {
        let parts: Vec<Bytes> = blobs.read(blob, range).await.unwrap().try_collect().await.unwrap();
        parts.concat()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let mut upload = UploadWriter::create(&blobs).await.unwrap();
        upload.put("hello ".into()).await.unwrap();
        upload.put("world".into()).await.unwrap();
        let stored = upload.finish().await.unwrap();
        assert_eq!(stored.bytes, 11);
        assert!(stored.sha256.starts_with("b94d27b9934d3e08"));
        assert_eq!(read_all(&blobs, &stored.blob, 3..8).await, b"lo wo");
        assert_eq!(std::fs::read(blobs.path(&stored.blob)).unwrap(), b"hello world");

        let mut aborted = UploadWriter::create(&blobs).await.unwrap();
        aborted.put("half".into()).await.unwrap();
        drop(aborted);
        blobs.sweep(HashSet::from([stored.blob.clone()])).await.unwrap();
        assert_eq!(read_all(&blobs, &stored.blob, 0..11).await, b"hello world");

        blobs.delete(std::slice::from_ref(&stored.blob)).await;
        assert!(blobs.read(&stored.blob, 0..1).await.err().unwrap().is_gone());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn blocking_code_writes_too() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let mut writer = blobs.create().await.unwrap().blocking(Handle::current());
        let blob = tokio::task::spawn_blocking(move || {
            for _ in 0..5 {
                io::Write::write_all(&mut writer, &vec![7; 3 << 20]).unwrap();
            }
            writer.finish().unwrap()
        })
        .await
        .unwrap();
        assert_eq!(std::fs::metadata(blobs.path(&blob)).unwrap().len(), 15 << 20);
    }
}
