//! What is written down: each decision before its first byte leaves, each end, each refusal, each tunnel.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use clauderon_audit::{AuditError, Kind, Log, Record};
use clauderon_policy::Target;
use http::Method;

use crate::{
    exchange::Door,
    head::Head,
    observer::{Observer, Traffic, TrafficKind},
    proxy::{Engine, now_ms},
    rejection::Rejection,
    session::EgressSession,
};

/// What an agent asked for, as far as it could be read.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    host: String,
    port: u16,
    method: String,
    path: String,
}

impl Asked {
    /// Something that could not be read.
    pub fn nothing() -> Self {
        Self {
            host: String::new(),
            port: 0,
            method: String::new(),
            path: String::new(),
        }
    }

    /// A tunnel to an authority that may be no authority.
    pub fn connect(authority: &str) -> Self {
        let method = Method::CONNECT.to_string();
        match Target::parse_authority(authority) {
            Ok(target) => Self {
                method,
                ..Self::tunnel(&target)
            },
            Err(_) => Self {
                host: authority.to_owned(),
                method,
                ..Self::nothing()
            },
        }
    }

    /// Something inside a tunnel that could not be read as a request.
    pub fn tunnel(target: &Target) -> Self {
        Self {
            host: target.host.to_string(),
            port: target.port,
            ..Self::nothing()
        }
    }

    /// A request; its query is left out, for it may carry what nobody should keep.
    pub fn request(target: &Target, head: &Head) -> Self {
        let path = head.target.split('?').next().unwrap_or_default().to_owned();
        Self {
            method: head.method.to_string(),
            path,
            ..Self::tunnel(target)
        }
    }

    /// A plain request whose address could not be used.
    pub fn plain(head: &Head) -> Self {
        let path = head.target.split('?').next().unwrap_or_default().to_owned();
        Self {
            method: head.method.to_string(),
            path,
            ..Self::nothing()
        }
    }

    fn record(&self, session: &EgressSession, link: &str, kind: Kind) -> Record {
        Record {
            session: session.id.clone(),
            link: link.to_owned(),
            kind,
            host: self.host.clone(),
            port: self.port,
            method: self.method.clone(),
            path: self.path.clone(),
            ..Record::default()
        }
    }
}

/// Records a rejection, tells the observer, and fills in where it happened.
///
/// A session that is refused over and over is slowed down here, so that it cannot fill the log.
pub(crate) async fn rejection(
    engine: &Engine,
    session: &EgressSession,
    link: &str,
    asked: &Asked,
    mut rejection: Rejection,
) -> Rejection {
    let refusal = &mut rejection.refusal;
    refusal.host.clone_from(&asked.host);
    refusal.method.clone_from(&asked.method);
    refusal.path.clone_from(&asked.path);
    if !rejection.recorded {
        return rejection;
    }
    while !session.refusals.allows(Instant::now()) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let record = Record {
        decision: "refuse".to_owned(),
        note: refusal.code.to_owned(),
        rule: refusal.rule.clone(),
        status: Some(rejection.status.as_u16()),
        ..asked.record(session, link, Kind::Refusal)
    };
    if let Err(error) = engine.audit.append(record).await {
        tracing::error!(%error, session = session.id, "a refusal could not be recorded");
    }
    observe(
        engine.observer.as_ref(),
        &session.id,
        link,
        TrafficKind::Refused(refusal.as_ref().clone()),
    );
    rejection
}

/// Records that a tunnel was opened.
pub(crate) async fn tunnel(engine: &Engine, session: &EgressSession, target: &Target) {
    let asked = Asked {
        method: Method::CONNECT.to_string(),
        ..Asked::tunnel(target)
    };
    let decision = "intercept".to_owned();
    let record = Record {
        decision,
        ..asked.record(session, &engine.link(), Kind::Tunnel)
    };
    if let Err(error) = engine.audit.append(record).await {
        tracing::error!(%error, session = session.id, "a tunnel could not be recorded");
    }
}

/// Records a request that is answered here.
pub(crate) async fn answered(door: &Door<'_>, link: &str, asked: &Asked, rule: &str, status: u16) {
    let record = Record {
        decision: "answer".to_owned(),
        rule: rule.to_owned(),
        status: Some(status),
        ..asked.record(door.session, link, Kind::Decision)
    };
    if let Err(error) = door.engine.audit.append(record).await {
        tracing::error!(%error, session = door.session.id, "an answer could not be recorded");
    }
}

fn observe(observer: &dyn Observer, session: &str, link: &str, kind: TrafficKind) {
    let (session, link) = (session.to_owned(), link.to_owned());
    observer.traffic(Traffic {
        session,
        at_ms: now_ms(),
        link,
        kind,
    });
}

/// A request that was let through and has not ended; however it ends, its end is recorded.
pub(crate) struct Open {
    log: Log,
    observer: Arc<dyn Observer>,
    record: Record,
    model: bool,
    since: Instant,
    /// How many bytes of its body have gone up.
    pub bytes_up: Arc<AtomicU64>,
    /// How many bytes of the answer's body have come down.
    pub bytes_down: Arc<AtomicU64>,
    /// The upstream's status.
    pub status: Option<u16>,
    /// Whether the whole answer reached the agent.
    pub whole: bool,
    ended: bool,
}

impl Open {
    /// Writes the decision down; only then may anything be sent.
    pub async fn begin(
        door: &Door<'_>,
        link: &str,
        asked: &Asked,
        rule: &str,
        credential: Option<&str>,
        model: bool,
    ) -> Result<Self, AuditError> {
        let decision = if credential.is_some() {
            "inject"
        } else {
            "forward"
        };
        let record = Record {
            auth_injected: credential.map(str::to_owned),
            decision: decision.to_owned(),
            rule: rule.to_owned(),
            ..asked.record(door.session, link, Kind::Decision)
        };
        let written = door.engine.audit.append(record.clone()).await;
        if let Err(error) = written {
            tracing::error!(%error, session = door.session.id, "a decision could not be recorded");
            // Nothing of value goes with a request that carries no credential; it is let through unrecorded.
            if credential.is_some() {
                return Err(error);
            }
        }
        Ok(Self::started(door.engine, record, model))
    }

    /// Writes down that bytes go through unread; only then may any be sent.
    pub async fn raw(
        engine: &Engine,
        session: &EgressSession,
        target: &Target,
        rule: &str,
    ) -> Result<Self, AuditError> {
        let asked = Asked {
            method: Method::CONNECT.to_string(),
            ..Asked::tunnel(target)
        };
        let record = Record {
            decision: "passthrough".to_owned(),
            rule: rule.to_owned(),
            ..asked.record(session, &engine.link(), Kind::Tunnel)
        };
        engine.audit.append(record.clone()).await?;
        Ok(Self::started(engine, record, false))
    }

    fn started(engine: &Engine, record: Record, model: bool) -> Self {
        let observer = Arc::clone(&engine.observer);
        let started = TrafficKind::Started {
            host: record.host.clone(),
            method: record.method.clone(),
            path: record.path.clone(),
            rule: record.rule.clone(),
            model,
        };
        observe(observer.as_ref(), &record.session, &record.link, started);
        Self {
            log: engine.audit.clone(),
            observer,
            record: Record {
                kind: Kind::Close,
                ..record
            },
            model,
            since: Instant::now(),
            bytes_up: Arc::default(),
            bytes_down: Arc::default(),
            status: None,
            whole: false,
            ended: false,
        }
    }

    /// Records the end.
    pub async fn end(mut self) {
        write_close(self.close()).await;
    }

    fn close(&mut self) -> End {
        self.ended = true;
        let good = self.status.is_some_and(|status| status < 400);
        let record = Record {
            status: self.status,
            bytes_up: Some(self.bytes_up.load(Ordering::Relaxed)),
            bytes_down: Some(self.bytes_down.load(Ordering::Relaxed)),
            duration_ms: Some(u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX)),
            ..self.record.clone()
        };
        let heard = TrafficKind::Finished {
            model: self.model,
            status: self.status,
            ok: self.whole && good,
        };
        End {
            log: self.log.clone(),
            observer: Arc::clone(&self.observer),
            record,
            heard,
        }
    }
}

impl Drop for Open {
    /// The request was broken off: the connection was cancelled under it.
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let end = self.close();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(write_close(end));
        }
    }
}

/// The end of a request, ready to be written and told.
struct End {
    log: Log,
    observer: Arc<dyn Observer>,
    record: Record,
    heard: TrafficKind,
}

async fn write_close(end: End) {
    let End {
        log,
        observer,
        record,
        heard,
    } = end;
    let (session, link) = (record.session.clone(), record.link.clone());
    if let Err(error) = log.append(record).await {
        tracing::error!(%error, session, "the end of a request could not be recorded");
    }
    observe(observer.as_ref(), &session, &link, heard);
}
