//! The messages that are on their way to a session's agent, in a file that the agent never sees.

use clauderon_session::SessionId;
use clauderon_session::delivery::Outbox;

use crate::file::Durable;
use crate::{SessionDir, StoreError, file};

impl SessionDir {
    /// Reads a session's messages; none where none were ever sent.
    pub fn read_outbox(&self, id: SessionId) -> Result<Outbox, StoreError> {
        let path = self.private().join("messages.json");
        let Some(outbox) = file::read::<Outbox>(&path)? else {
            return Ok(Outbox::new(id));
        };
        if outbox.session() == id {
            return Ok(outbox);
        }
        // A copied folder would otherwise say what was meant for the original.
        Err(StoreError::Damaged {
            path,
            reason: format!("they are the messages of session {}", outbox.session()),
        })
    }

    /// Writes a session's messages down; they are on the disk when this returns.
    pub fn write_outbox(&self, outbox: &Outbox) -> Result<(), StoreError> {
        let path = self.private().join("messages.json");
        file::write(&path, outbox, Durable::Now)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Store;

    #[test]
    fn messages_come_back_for_their_own_session_alone() {
        let home = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(home.path()).unwrap();
        let (id, other): (SessionId, SessionId) =
            ("aaaaaaaaaa".parse().unwrap(), "bbbbbbbbbb".parse().unwrap());
        let dir = store.create_dir(id).unwrap();
        let mut outbox = dir.read_outbox(id).unwrap();
        outbox.post("m", "say\n\"hi\"", true, 7).unwrap();
        dir.write_outbox(&outbox).unwrap();
        assert_eq!(dir.read_outbox(id).unwrap(), outbox);
        assert!(matches!(
            dir.read_outbox(other),
            Err(StoreError::Damaged { .. })
        ));
    }

    #[test]
    fn as_many_messages_as_may_wait_fit() {
        use clauderon_session::delivery::{MOST_BYTES, MOST_WAITING};
        let home = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(home.path()).unwrap();
        let id: SessionId = "aaaaaaaaaa".parse().unwrap();
        let dir = store.create_dir(id).unwrap();
        let mut outbox = dir.read_outbox(id).unwrap();
        for number in 0..MOST_WAITING {
            let text = "\"".repeat(MOST_BYTES / MOST_WAITING);
            outbox.post(&number.to_string(), &text, false, 7).unwrap();
        }
        dir.write_outbox(&outbox).unwrap();
        assert_eq!(dir.read_outbox(id).unwrap(), outbox);
    }
}
