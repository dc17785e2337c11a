//! What a person decides about a session: its title, its place in the list, how much it may reach, and putting it away.

use clauderon_api::{self as api, Error};
use clauderon_session::line;
use clauderon_store::Record;

use super::Session;
use super::actor::Order;
use crate::clock::now_ms;

/// Characters of a title.
const TITLE: usize = 100;

impl Session {
    /// Changes what is named in `change`. A posture holds from the next request on, also on connections that are open.
    pub async fn update(&self, change: api::UpdateSession) -> Result<api::Session, Error> {
        let title = change.title.as_deref().map(title).transpose()?;
        let decided = title.is_some()
            || change.pinned.is_some()
            || change.notify.is_some()
            || change.posture.is_some();
        if decided {
            self.change(move |record| {
                let shelf = &mut record.shelf;
                shelf.title = title.unwrap_or(shelf.title.take());
                shelf.pinned = change.pinned.unwrap_or(shelf.pinned);
                shelf.notify = change.notify.unwrap_or(shelf.notify);
                record.posture = change.posture.unwrap_or(record.posture);
            })
            .await?;
        }
        if let Some(posture) = change.posture {
            self.egress.set_policy(|policy| policy.posture = posture);
        }
        if change.seen == Some(true) {
            self.seen().await;
            self.settled().await?;
        }
        Ok(self.view())
    }

    /// Takes note that the person looked at it.
    pub async fn seen(&self) {
        // A session that is gone needs no note.
        let _ = self.order(Order::Seen).await;
    }

    /// Puts it away: its agent ends, and all of it is kept.
    pub async fn archive(&self) -> Result<api::Session, Error> {
        let at = now_ms();
        self.change(move |record| {
            record.shelf.archived_ms = record.shelf.archived_ms.or(Some(at));
        })
        .await?;
        use api::State::{Running, Starting, Unknown};
        if matches!(self.view().state, Running | Starting | Unknown { .. }) {
            self.stop().await?;
        }
        Ok(self.view())
    }

    /// Takes it out of the archive.
    pub async fn unarchive(&self) -> Result<api::Session, Error> {
        self.change(|record| record.shelf.archived_ms = None)
            .await?;
        Ok(self.view())
    }

    /// Changes what is recorded and waits until that is written and shown.
    ///
    /// # Errors
    /// It cannot be written down; then nothing has changed.
    pub(super) async fn change(
        &self,
        change: impl FnOnce(&mut Record) + Send + 'static,
    ) -> Result<(), Error> {
        self.ask(|done| Order::Decide(Box::new(change), done))
            .await?
    }

    /// Waits until the owner has done all that was ordered before.
    pub(super) async fn settled(&self) -> Result<(), Error> {
        self.ask(Order::Settled).await
    }
}

/// Cleans a title; empty takes it away.
fn title(typed: &str) -> Result<Option<String>, Error> {
    let title = line(typed);
    let length = typed.trim().chars().count();
    if length > TITLE {
        return Err(Error::usage(format!(
            "the title has {length} characters; {TITLE} is the most"
        )));
    }
    Ok(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_cleaned_or_taken_away() {
        assert_eq!(title(" Fix\x1b it ").unwrap().as_deref(), Some("Fix it"));
        assert_eq!(title("  ").unwrap(), None);
        assert!(title(&"x".repeat(101)).is_err());
    }
}
