//! The hosts that the person always allows, by repository: `grants.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clauderon_policy::Grant;
use serde::{Deserialize, Serialize};

use crate::{StoreError, file};

pub(crate) type ByRepository = BTreeMap<PathBuf, Vec<Grant>>;

pub(crate) struct Grants {
    path: PathBuf,
    by_repository: ByRepository,
}

#[derive(Default, Serialize, Deserialize)]
struct Content {
    repositories: ByRepository,
}

impl Grants {
    pub(crate) fn open(home: &Path) -> Result<Self, StoreError> {
        let path = home.join("grants.json");
        let content: Content = file::read(&path)?.unwrap_or_default();
        Ok(Self {
            path,
            by_repository: content.repositories,
        })
    }

    pub(crate) fn all(&self) -> &ByRepository {
        &self.by_repository
    }

    pub(crate) fn of(&self, repository: &Path) -> &[Grant] {
        self.by_repository
            .get(repository)
            .map_or(&[], Vec::as_slice)
    }

    pub(crate) fn add(&mut self, repository: &Path, grant: Grant) -> Result<(), StoreError> {
        if self.of(repository).contains(&grant) {
            return Ok(());
        }
        let mut repositories = self.by_repository.clone();
        repositories
            .entry(repository.to_path_buf())
            .or_default()
            .push(grant);
        let content = Content { repositories };
        file::write(&self.path, &content, file::Durable::Now)?;
        self.by_repository = content.repositories;
        Ok(())
    }
}
