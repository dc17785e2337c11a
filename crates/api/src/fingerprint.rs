//! Salted hashes of credentials in the caller's environment, so that the daemon can say where they
//! differ from its own without either side sending a value. The vault makes and compares them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The hashes of one caller, under a salt made for one request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Fingerprints {
    /// The salt; its bytes as they stand here are what is hashed.
    pub salt: String,
    /// Environment variable to hash; a variable that the caller lacks is absent.
    pub values: BTreeMap<String, String>,
}
