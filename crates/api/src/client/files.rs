//! A session's files.

use bytes::Bytes;
use futures_util::stream::BoxStream;
use serde::de::DeserializeOwned;

use super::transport::{self, Body};
use super::{Client, FilesSocket};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::wire::{FileSides, FileView, FolderView, PathQuery, Upload, UploadQuery};

impl Client {
    /// Lists one folder of a session's workspace.
    pub async fn folder(&self, session: &str, path: &str) -> Result<FolderView, Error> {
        self.at_path(Endpoint::Folder, session, path).await
    }

    /// Shows one file of a session's workspace.
    pub async fn file(&self, session: &str, path: &str) -> Result<FileView, Error> {
        self.at_path(Endpoint::File, session, path).await
    }

    /// Streams one file of a session's workspace as it is.
    pub async fn raw_file(
        &self,
        session: &str,
        path: &str,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let at = path_query(Endpoint::RawFile, session, path);
        let response = self.send(Endpoint::RawFile, &at, Body::None).await?;
        Ok(transport::bytes(response))
    }

    /// Shows one changed file before and now.
    pub async fn file_sides(&self, session: &str, path: &str) -> Result<FileSides, Error> {
        self.at_path(Endpoint::FileSides, session, path).await
    }

    /// Puts a file into a session, under its own name made safe.
    pub async fn upload(
        &self,
        session: &str,
        name: &str,
        bytes: BoxStream<'static, std::io::Result<Bytes>>,
    ) -> Result<Upload, Error> {
        let query = UploadQuery {
            name: name.to_owned(),
        };
        let path = transport::with_query(Endpoint::Upload.path_for(session), &query);
        let response = self
            .send(Endpoint::Upload, &path, Body::Stream(bytes))
            .await?;
        transport::value(Endpoint::Upload, response).await
    }

    /// Watches a session's workspace.
    pub async fn watch_files(&self, session: &str) -> Result<FilesSocket, Error> {
        let path = Endpoint::FileEvents.path_for(session);
        FilesSocket::open(transport::dial(self.socket()).await?, &path).await
    }

    async fn at_path<T: DeserializeOwned>(
        &self,
        endpoint: Endpoint,
        session: &str,
        path: &str,
    ) -> Result<T, Error> {
        let at = path_query(endpoint, session, path);
        let response = self.send(endpoint, &at, Body::None).await?;
        transport::value(endpoint, response).await
    }
}

fn path_query(endpoint: Endpoint, session: &str, path: &str) -> String {
    let query = PathQuery {
        path: path.to_owned(),
    };
    transport::with_query(endpoint.path_for(session), &query)
}
