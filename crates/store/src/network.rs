//! Whether the person paused the network: `network.json`. It stays so until they say otherwise.

use serde::{Deserialize, Serialize};

use crate::{Store, StoreError, file};

#[derive(Default, Serialize, Deserialize)]
struct Content {
    paused: bool,
}

impl Store {
    /// Says whether the network was paused and not resumed since.
    pub fn network_paused(&self) -> Result<bool, StoreError> {
        let content: Option<Content> = file::read(&self.home.join("network.json"))?;
        Ok(content.unwrap_or_default().paused)
    }

    /// Remembers that the network is paused, or that it is not.
    pub fn set_network_paused(&self, paused: bool) -> Result<(), StoreError> {
        let _inner = self.inner();
        let path = self.home.join("network.json");
        file::write(&path, &Content { paused }, file::Durable::Now)
    }
}
