//! A session's conversation.

use super::transport::{self, Body};
use super::{Client, ConversationSocket};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::wire::{AnswerApproval, Approval, ConversationQuery, ConversationView};

impl Client {
    /// Lists what a session's agent waits for.
    pub async fn approvals(&self, session: &str) -> Result<Vec<Approval>, Error> {
        self.json(Endpoint::Approvals, session, Body::None).await
    }

    /// Answers one of them.
    pub async fn answer_approval(
        &self,
        session: &str,
        answer: &AnswerApproval,
    ) -> Result<(), Error> {
        let body = Body::json(answer);
        self.json(Endpoint::AnswerApproval, session, body).await
    }

    /// Shows a part of a session's conversation.
    pub async fn conversation(
        &self,
        session: &str,
        query: &ConversationQuery,
    ) -> Result<ConversationView, Error> {
        let path = transport::with_query(Endpoint::Conversation.path_for(session), query);
        let response = self.send(Endpoint::Conversation, &path, Body::None).await?;
        transport::value(Endpoint::Conversation, response).await
    }

    /// Follows a session's conversation.
    pub async fn follow_conversation(&self, session: &str) -> Result<ConversationSocket, Error> {
        let path = Endpoint::ConversationEvents.path_for(session);
        ConversationSocket::open(transport::dial(self.socket()).await?, &path).await
    }
}
