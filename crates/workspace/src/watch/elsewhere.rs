//! Where the kernel does not tell of changes folder by folder, everything is looked at again every few seconds.

use std::io;
use std::path::Path;

use super::Batch;
use crate::files::beneath;

/// The folders, of which none is watched.
#[derive(Debug)]
pub(super) struct Folders;

impl Folders {
    pub(super) async fn begin(folder: &Path, _most: usize) -> io::Result<Self> {
        beneath::root(folder).map(|_| Self)
    }

    pub(super) fn is_partial(&self) -> bool {
        true
    }

    pub(super) async fn news(&self) -> io::Result<()> {
        std::future::pending().await
    }

    pub(super) async fn take(&mut self, _batch: &mut Batch) -> io::Result<()> {
        Ok(())
    }
}
