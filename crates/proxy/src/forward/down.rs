//! The answer's way down: every piece when it comes, without the injected secret.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, header};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming as UpstreamAnswer};
use tokio::{io::AsyncWrite, time::timeout};

use super::Passage;
use crate::{
    answer::Answer,
    rejection::Rejection,
    scan::{Needles, Scanner},
};

impl Passage<'_> {
    /// Streams the answer to the agent, every piece when it comes, without the secret.
    pub(super) async fn bring_back<W>(
        &self,
        response: Response<UpstreamAnswer>,
        secret: Option<&Needles>,
        answer: &mut Answer<'_, W>,
    ) -> Result<(), Rejection>
    where
        W: AsyncWrite + Unpin,
    {
        let (mut parts, mut body) = response.into_parts();
        if let Some(secret) = secret {
            let encoded = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
            let has_body = self.head.method != Method::HEAD && !body.is_end_stream();
            if has_body
                && parts
                    .headers
                    .get_all(header::CONTENT_ENCODING)
                    .iter()
                    .any(encoded)
            {
                return Err(Rejection::upstream(
                    "the upstream answered in an encoding that nobody asked for",
                ));
            }
            scrub_headers(&mut parts.headers, secret);
        }
        if let Some(tap) = &self.tap {
            tap.head(parts.status.as_u16(), &parts.headers);
        }
        let gone = |_| Rejection::gone();
        answer
            .head(parts.status, parts.headers, body.size_hint().exact())
            .await
            .map_err(gone)?;
        let mut scanner = secret.map(Scanner::masking);
        loop {
            let frame = match timeout(self.way.patience(), body.frame()).await {
                Err(_) => return Err(Rejection::upstream_slow()),
                Ok(None) => break,
                Ok(Some(Err(error))) => {
                    tracing::debug!(%error, "an upstream broke off within its answer");
                    return Err(Rejection::upstream(
                        "the upstream broke off within its answer",
                    ));
                }
                Ok(Some(Ok(frame))) => frame,
            };
            let Ok(bytes) = frame.into_data() else {
                continue;
            };
            let clean = match &mut scanner {
                Some(scanner) => scanner.push(bytes).expect("a masking scanner never stops"),
                None => bytes,
            };
            self.show(&clean);
            answer.piece(clean).await.map_err(gone)?;
        }
        if let Some(scanner) = scanner {
            let rest = scanner.finish();
            self.show(&rest);
            answer.piece(rest).await.map_err(gone)?;
        }
        answer.end().await.map_err(gone)
    }

    fn show(&self, piece: &Bytes) {
        if let Some(tap) = &self.tap {
            tap.piece(piece);
        }
    }
}

fn scrub_headers(headers: &mut HeaderMap, secret: &Needles) {
    for value in headers.values_mut() {
        let mut bytes = value.as_bytes().to_vec();
        if secret.mask(&mut bytes) {
            *value = HeaderValue::from_bytes(&bytes).expect("asterisks may stand in a header");
        }
    }
}
