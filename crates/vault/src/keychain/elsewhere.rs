//! A system whose keychain is not read.

use super::{KeychainError, KeychainState};
use crate::Secret;

const HINT: &str = "Keep the value in a file that only you can read.";

/// No keychain.
#[derive(Default)]
pub(super) struct System;

impl System {
    pub fn state(&mut self) -> KeychainState {
        KeychainState::Absent(HINT.to_owned())
    }

    pub fn holds(&mut self, _: &str) -> bool {
        false
    }

    pub fn get(&mut self, _: &str) -> Result<Option<String>, KeychainError> {
        Ok(None)
    }

    pub fn set(&mut self, _: &str, _: &Secret) -> Result<(), KeychainError> {
        Err(KeychainError::Absent(HINT.to_owned()))
    }

    pub fn remove(&mut self, _: &str) -> Result<(), KeychainError> {
        Ok(())
    }
}
