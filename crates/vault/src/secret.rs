//! A credential's bytes.

use zeroize::Zeroizing;

/// A credential. It cannot be printed, compared, stored or serialised, and its bytes are overwritten when it is dropped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a credential in. It must be visible ASCII on one line: it ends up in a header.
    ///
    /// # Errors
    /// Says what is wrong, never what was given; the given bytes are overwritten all the same.
    pub fn new(text: String) -> Result<Self, &'static str> {
        let text = Zeroizing::new(text);
        if text.is_empty() {
            return Err("it is empty");
        }
        if text.len() > MAX_LENGTH {
            return Err("it is longer than 16 KiB");
        }
        if !text.bytes().all(|b| (0x21..=0x7e).contains(&b)) {
            return Err("it holds spaces, line breaks or other characters that no token has");
        }
        Ok(Secret(text))
    }

    /// Makes another of the same bytes, for a place that keeps one in memory.
    pub(crate) fn duplicate(&self) -> Self {
        Secret(self.0.clone())
    }

    /// Gives a salted SHA-256, so that a value can be recognised without being kept.
    pub fn fingerprint(&self, salt: &[u8], name: &str) -> String {
        crate::fingerprint_of(salt, name, &self.0)
    }

    /// Shows the credential for as long as the borrow lasts. Only `proxy` calls this, for one request.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

const MAX_LENGTH: usize = 16 * 1024;
