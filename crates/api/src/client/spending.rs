//! What sessions used, and what each may.

use super::Client;
use super::transport::{self, Body};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::wire::{Session, SetBudget, UsageQuery, UsageView};

impl Client {
    /// Shows what was used of the models.
    pub async fn usage(&self, query: &UsageQuery) -> Result<UsageView, Error> {
        let path = transport::with_query(Endpoint::Usage.path().to_owned(), query);
        let response = self.send(Endpoint::Usage, &path, Body::None).await?;
        transport::value(Endpoint::Usage, response).await
    }

    /// Changes what a session may spend, from its next request on.
    pub async fn set_budget(&self, session: &str, budget: SetBudget) -> Result<Session, Error> {
        self.json(Endpoint::SetBudget, session, Body::json(&budget))
            .await
    }
}
