//! Sends a request up and brings its answer back, both as they come.
//!
//! Must never send a byte before the decision is recorded, never send a body of a model route before it was judged
//! as a whole, and never let a placeholder out or an injected secret back in.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::BytesMut;
use clauderon_policy::{BodyRule, CredentialUse, Limits, Provider, check_model_body};
use http::{HeaderValue, Request, Response, header};
use hyper::body::{Body as _, Incoming as UpstreamAnswer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    time::{Duration, timeout},
};

use crate::{
    answer::{Answer, strip_hop_by_hop},
    body::{Body, BodyError},
    credential::{self, Injection},
    exchange::Door,
    head::{Framing, Head, Incoming},
    limits,
    record::{Asked, Open},
    rejection::Rejection,
    tap::Tap,
    upstream::{DialError, Identity, Key, Link, Unsent, UpstreamBody},
};

mod down;
mod up;

/// How the policy lets a request through.
pub(crate) struct Way {
    pub rule: String,
    pub limits: Limits,
    pub credential: Option<CredentialUse>,
    pub body: BodyRule,
    pub keep_client_auth: bool,
}

impl Way {
    fn provider(&self) -> Option<Provider> {
        match self.body {
            BodyRule::Model(provider) => Some(provider),
            BodyRule::Stream => None,
        }
    }

    /// How long the upstream may say nothing.
    fn patience(&self) -> Duration {
        if self.provider().is_some() {
            limits::MODEL_WAIT
        } else {
            limits::UPSTREAM_WAIT
        }
    }
}

/// One request on its way.
pub(crate) struct Passage<'a> {
    pub door: &'a Door<'a>,
    pub link: &'a str,
    pub asked: &'a Asked,
    pub way: Way,
    pub head: Head,
    /// Set once the request may go up, where it asks a model.
    pub tap: Option<Tap>,
}

impl Passage<'_> {
    /// Sends the request and brings the answer back.
    pub async fn make<R, W>(
        mut self,
        body: &mut Body,
        incoming: &mut Incoming<R>,
        answer: &mut Answer<'_, W>,
    ) -> Result<(), Rejection>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        if self.head.wants_websocket() {
            return Err(Rejection::websocket());
        }
        self.check_head()?;
        if self.head.expects_continue() {
            answer.invite().await.map_err(|_| Rejection::gone())?;
        }
        let held = match self.way.provider() {
            Some(provider) => Some(self.hold(provider, body, incoming).await?),
            None => None,
        };
        let _leave = match &held {
            Some(UpstreamBody::Held(Some(whole), _)) => {
                Some(self.wait_for_leave(whole.clone(), incoming).await?)
            }
            _ => None,
        };
        // It may have waited for long: what holds now counts.
        if self.door.engine.is_paused() {
            return Err(Rejection::paused());
        }
        let injection = credential::find(self.door, self.way.credential.as_ref()).await?;
        let model = held.is_some();
        let name = injection.as_ref().map(|injection| injection.name.as_str());
        let mut open = Open::begin(
            self.door,
            self.link,
            self.asked,
            &self.way.rule,
            name,
            model,
        )
        .await
        .map_err(|_| Rejection::audit())?;
        self.tap = self.begin_tap(held.as_ref(), name);
        let result = self
            .pass(injection.as_ref(), held, body, incoming, answer, &mut open)
            .await;
        open.bytes_down.store(answer.written, Ordering::Relaxed);
        open.whole = result.is_ok();
        open.end().await;
        result
    }

    fn begin_tap(&self, held: Option<&UpstreamBody>, account: Option<&str>) -> Option<Tap> {
        let provider = self.way.provider()?;
        let UpstreamBody::Held(Some(body), _) = held? else {
            return None;
        };
        let path = self.head.target.split('?').next().unwrap_or_default();
        let headers = &self.head.headers;
        Some(Tap::begin(
            self.door,
            self.link,
            provider,
            account,
            path,
            headers,
            body.clone(),
        ))
    }

    /// Refuses placeholders outside their slot, and lengths that the rule does not allow.
    fn check_head(&self) -> Result<(), Rejection> {
        let placeholders = &self.door.session.placeholders;
        if placeholders.are_in_target(&self.head.target)
            || placeholders.are_misplaced_in(&self.head.headers, self.way.keep_client_auth)
        {
            return Err(Rejection::placeholder());
        }
        match (self.head.framing, self.most_body()) {
            (Framing::Length(length), Some(most)) if length > most => {
                Err(Rejection::body(BodyError::TooLarge))
            }
            _ => Ok(()),
        }
    }

    fn most_body(&self) -> Option<u64> {
        let held = self.way.provider().map(|_| limits::MODEL_BODY as u64);
        [self.way.limits.max_body, held].into_iter().flatten().min()
    }

    /// Reads a model's body whole and judges it.
    async fn hold<R>(
        &self,
        provider: Provider,
        body: &mut Body,
        incoming: &mut Incoming<R>,
    ) -> Result<UpstreamBody, Rejection>
    where
        R: AsyncRead + Unpin,
    {
        let encodings = self.head.headers.get_all(header::CONTENT_ENCODING);
        if encodings
            .iter()
            .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
        {
            return Err(Rejection::encoded_body());
        }
        let session = self.door.session;
        let no_room = || Rejection::busy("this session holds too many large requests at once");
        let mut share = Arc::clone(&session.held)
            .try_acquire_many_owned(0)
            .map_err(|_| no_room())?;
        let mut whole = BytesMut::new();
        while let Some(piece) = body.next(incoming).await.map_err(Rejection::body)? {
            if (whole.len() + piece.len()) as u64 > self.most_body().unwrap_or(u64::MAX) {
                return Err(Rejection::body(BodyError::TooLarge));
            }
            whole.extend_from_slice(&piece);
            let wanted = whole
                .capacity()
                .div_ceil(1024)
                .saturating_sub(share.num_permits());
            let wanted = u32::try_from(wanted).map_err(|_| no_room())?;
            share.merge(
                Arc::clone(&session.held)
                    .try_acquire_many_owned(wanted)
                    .map_err(|_| no_room())?,
            );
        }
        // A placeholder may stand here: an agent that runs `env` tells its model so, and refusing every later turn would
        // end an honest session over a text that is worth nothing. It is never substituted, here as anywhere.
        check_model_body(provider, &whole).map_err(|refusal| refusal.by(&self.way.rule))?;
        Ok(UpstreamBody::Held(Some(whole.freeze()), share))
    }

    async fn pass<R, W>(
        &self,
        injection: Option<&Injection>,
        held: Option<UpstreamBody>,
        body: &mut Body,
        incoming: &mut Incoming<R>,
        answer: &mut Answer<'_, W>,
        open: &mut Open,
    ) -> Result<(), Rejection>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let (pieces, streamed) = mpsc::channel(4);
        let pieces = (!body.is_done()).then_some(pieces);
        let upward = match (held, self.head.framing) {
            (Some(held), _) => {
                open.bytes_up
                    .store(held.size_hint().exact().unwrap_or(0), Ordering::Relaxed);
                held
            }
            (None, _) if pieces.is_none() => UpstreamBody::None,
            (None, Framing::Length(length)) => UpstreamBody::Streamed(streamed, Some(length)),
            (None, _) => UpstreamBody::Streamed(streamed, None),
        };
        let up = Arc::clone(&open.bytes_up);
        let pump = self.pump(pieces, body, incoming, Arc::clone(&up));
        let relay = self.relay(injection, upward, answer, &up, &mut open.status);
        // Whichever breaks off first ends the other: a pump only ever ends by breaking off.
        tokio::select! {
            biased;
            result = relay => result,
            rejection = pump => Err(rejection),
        }
    }

    async fn relay<W>(
        &self,
        injection: Option<&Injection>,
        body: UpstreamBody,
        answer: &mut Answer<'_, W>,
        up: &AtomicU64,
        status: &mut Option<u16>,
    ) -> Result<(), Rejection>
    where
        W: AsyncWrite + Unpin,
    {
        let key = Key {
            target: self.door.target.clone(),
            encrypted: self.door.encrypted(),
            identity: injection.map_or(Identity::Anonymous, |injection| injection.identity.clone()),
        };
        let request = self.request(injection, body)?;
        let (mut link, response) = self.send(&key, request, up).await?;
        *status = Some(response.status().as_u16());
        self.bring_back(
            response,
            injection.map(|injection| &injection.needles),
            answer,
        )
        .await?;
        if link.is_usable().await {
            self.door.session.pool.put(key, link);
        }
        Ok(())
    }

    /// Writes the request anew: nothing of the agent's own framing or credentials is in it.
    fn request(
        &self,
        injection: Option<&Injection>,
        body: UpstreamBody,
    ) -> Result<Request<UpstreamBody>, Rejection> {
        let mut headers = self.head.headers.clone();
        strip_hop_by_hop(&mut headers);
        headers.remove(header::EXPECT);
        headers.remove(header::CONTENT_LENGTH);
        let target = match self.head.target.split_once('?') {
            _ if self.way.keep_client_auth => self.head.target.clone(),
            None => self.head.target.clone(),
            Some((path, query)) => match credential::strip_query(query) {
                query if query.is_empty() => path.to_owned(),
                query => format!("{path}?{query}"),
            },
        };
        if !self.way.keep_client_auth {
            credential::strip_headers(&mut headers, injection.is_some());
        }
        if let Some(injection) = injection {
            // What comes back must be readable, and whole, to be searched for the secret.
            headers.insert(
                header::ACCEPT_ENCODING,
                HeaderValue::from_static("identity"),
            );
            headers.remove(header::RANGE);
            headers.remove(header::IF_RANGE);
            headers.insert(injection.header.clone(), injection.value.clone());
        }
        if self.head.framing == Framing::Length(0) {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let host = self.door.authority();
        let host = HeaderValue::try_from(host).map_err(|_| Rejection::malformed("the host"))?;
        headers.insert(header::HOST, host);
        let mut request = Request::builder()
            .method(self.head.method.clone())
            .uri(target)
            .body(body)
            .map_err(|_| Rejection::malformed("the path or query"))?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// Sends the request over a kept connection or a new one.
    async fn send(
        &self,
        key: &Key,
        mut request: Request<UpstreamBody>,
        up: &AtomicU64,
    ) -> Result<(Link, Response<UpstreamAnswer>), Rejection> {
        while let Some(mut link) = self.door.session.pool.take(key).await {
            match self.await_head(&mut link, request, up).await? {
                Ok(response) => return Ok((link, response)),
                // The kept connection had just been closed, and nothing of this request was sent over it.
                Err(unsent) => request = *unsent,
            }
        }
        let mut link = self
            .connect(key)
            .await
            .map_err(|error| Rejection::dial(&error))?;
        match self.await_head(&mut link, request, up).await? {
            Ok(response) => Ok((link, response)),
            Err(_) => Err(Rejection::upstream("the upstream closed the connection")),
        }
    }

    /// Opens a connection to the upstream, or to what plays it for this session alone.
    async fn connect(&self, key: &Key) -> Result<Link, DialError> {
        if let Some(stand_in) = &self.door.session.stand_in {
            return stand_in.connect().await;
        }
        let named = self.way.rule != "open";
        let upstream = &self.door.engine.upstream;
        upstream.connect(&key.target, key.encrypted, named).await
    }

    /// Waits for the response head; a body that still goes up counts as a sign of life.
    async fn await_head(
        &self,
        link: &mut Link,
        request: Request<UpstreamBody>,
        up: &AtomicU64,
    ) -> Result<Result<Response<UpstreamAnswer>, Box<Request<UpstreamBody>>>, Rejection> {
        let mut sending = std::pin::pin!(link.send(request));
        let mut seen = up.load(Ordering::Relaxed);
        loop {
            match timeout(self.way.patience(), &mut sending).await {
                Ok(Ok(response)) => return Ok(Ok(response)),
                Ok(Err(Unsent::Whole(request))) => return Ok(Err(request)),
                Ok(Err(Unsent::Lost(error))) => {
                    tracing::debug!(%error, "an upstream broke off");
                    return Err(Rejection::upstream(
                        "the upstream broke off before it answered",
                    ));
                }
                Err(_) if up.load(Ordering::Relaxed) != seen => seen = up.load(Ordering::Relaxed),
                Err(_) => return Err(Rejection::upstream_slow()),
            }
        }
    }
}
