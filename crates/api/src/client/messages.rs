//! Messages to an agent.

use super::Client;
use super::transport::{self, Body};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::wire::{ChangeMessage, MessageQuery, MessageView, SendMessage};

impl Client {
    /// Lists what was sent to a session's agent lately.
    pub async fn messages(&self, session: &str) -> Result<Vec<MessageView>, Error> {
        self.json(Endpoint::Messages, session, Body::None).await
    }

    /// Sends a session's agent a message.
    pub async fn send_message(
        &self,
        session: &str,
        message: &SendMessage,
    ) -> Result<MessageView, Error> {
        self.json(Endpoint::SendMessage, session, Body::json(message))
            .await
    }

    /// Changes a message that waits, or tries one again.
    pub async fn change_message(
        &self,
        session: &str,
        change: &ChangeMessage,
    ) -> Result<MessageView, Error> {
        self.json(Endpoint::ChangeMessage, session, Body::json(change))
            .await
    }

    /// Takes a message back.
    pub async fn withdraw_message(&self, session: &str, id: &str) -> Result<MessageView, Error> {
        let endpoint = Endpoint::WithdrawMessage;
        let which = MessageQuery { id: id.to_owned() };
        let path = transport::with_query(endpoint.path_for(session), &which);
        let response = self.send(endpoint, &path, Body::None).await?;
        transport::value(endpoint, response).await
    }
}
