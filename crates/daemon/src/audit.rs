//! The audit log as the API shows it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use clauderon_api::{AuditReport, AuditRow, Error, RefusedRow};
use clauderon_audit::{Entry, Fault, FaultKind, Filter, Kind};
use clauderon_policy::{Host, address, code};
use clauderon_session::{SessionId, Spec};
use futures_util::stream::{self, BoxStream, StreamExt as _};

/// How many records are shown where nobody says.
const SHOWN: usize = 50;
/// How many of the newest refusals are looked at to count equal ones.
const REFUSALS: usize = 1000;
/// How often a follower looks for new records.
const LOOK: Duration = Duration::from_millis(500);

/// Streams the newest records, and the ones after them where `follow` is set.
pub async fn rows(
    log: PathBuf,
    session: Option<SessionId>,
    count: Option<usize>,
    follow: bool,
) -> Result<BoxStream<'static, Result<AuditRow, Error>>, Error> {
    let filter = Filter {
        session: session.map(|id| id.to_string()),
        kinds: Vec::new(),
    };
    let first = tail(log.clone(), count.unwrap_or(SHOWN), filter.clone()).await?;
    let last = first.last().map_or(0, |entry| entry.seq);
    let first = stream::iter(first.into_iter().map(|entry| Ok(row(entry))));
    if !follow {
        return Ok(first.boxed());
    }
    let more = stream::unfold(last, move |last| {
        let (log, filter) = (log.clone(), filter.clone());
        async move {
            loop {
                tokio::time::sleep(LOOK).await;
                match tail(log.clone(), REFUSALS, filter.clone()).await {
                    Err(error) => return Some((vec![Err(error)], last)),
                    Ok(entries) => {
                        let new: Vec<_> =
                            entries.into_iter().filter(|one| one.seq > last).collect();
                        if let Some(newest) = new.last().map(|entry| entry.seq) {
                            return Some((
                                new.into_iter().map(|one| Ok(row(one))).collect(),
                                newest,
                            ));
                        }
                    }
                }
            }
        }
    });
    Ok(first.chain(more.flat_map(stream::iter)).boxed())
}

/// Lists what a session was refused lately, equal refusals together, the newest first. Where granting the host would help, the
/// row says how; `governed` names the hosts that cannot be granted as a whole.
pub async fn refused(
    log: PathBuf,
    session: &Spec,
    governed: impl Fn(&Host) -> bool,
) -> Result<Vec<RefusedRow>, Error> {
    let filter = Filter {
        session: Some(session.id.to_string()),
        kinds: vec![Kind::Refusal],
    };
    let mut rows: Vec<RefusedRow> = Vec::new();
    let mut places: HashMap<(String, u16, String, String), usize> = HashMap::new();
    for entry in tail(log, REFUSALS, filter).await?.into_iter().rev() {
        let record = entry.record;
        let key = (
            record.host.clone(),
            record.port,
            record.method.clone(),
            record.path.clone(),
        );
        if let Some(place) = places.get(&key) {
            rows[*place].count += 1;
            continue;
        }
        places.insert(key, rows.len());
        let some = |text: String| (!text.is_empty()).then_some(text);
        let grantable = Host::parse(&record.host)
            .is_ok_and(|host| !governed(&host) && host.ip().is_none_or(address::is_public));
        let hint = (record.note == code::NOT_ALLOWED && grantable).then(|| {
            let place = match record.port {
                443 => record.host.clone(),
                port => format!("{}:{port}", record.host),
            };
            format!("clauderon policy allow {} {place}", session.name)
        });
        rows.push(RefusedRow {
            at_ms: milliseconds(&entry.at),
            count: 1,
            code: record.note,
            host: record.host,
            port: record.port,
            method: some(record.method),
            path: some(record.path),
            rule: some(record.rule),
            hint,
        });
    }
    Ok(rows)
}

/// Checks the whole log.
pub async fn verify(log: PathBuf, key: PathBuf) -> Result<AuditReport, Error> {
    let report = blocking(move || clauderon_audit::verify(&log, &key)).await?;
    Ok(AuditReport {
        ok: report.is_sound(),
        records: report.entries,
        anchored: report.anchored,
        findings: report.faults.iter().map(sentence).collect(),
    })
}

async fn tail(log: PathBuf, count: usize, filter: Filter) -> Result<Vec<Entry>, Error> {
    blocking(move || clauderon_audit::tail(&log, count, &filter)).await
}

/// Reads files off the threads that serve everybody.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::failed(format!("the audit log could not be read: {error}")))?
        .map_err(|error| Error::failed(format!("the audit log could not be read: {error}")))
}

fn sentence(fault: &Fault) -> String {
    let what = match fault.kind {
        FaultKind::Edited => "was edited",
        FaultKind::Dropped => "comes after records that are missing",
        FaultKind::Reordered => "stands at the wrong place",
        FaultKind::Broken => "does not follow the record before it",
        FaultKind::Truncated => "is where the log was cut off",
        FaultKind::Replaced => "is not the record that was signed",
        FaultKind::Unreadable => "cannot be read",
        FaultKind::Head => "belongs to a log whose signed head was changed",
    };
    format!(
        "{} line {}: record {} {what}",
        fault.file.display(),
        fault.line,
        fault.seq
    )
}

fn milliseconds(at: &str) -> u64 {
    time::OffsetDateTime::parse(at, &time::format_description::well_known::Rfc3339)
        .ok()
        .and_then(|at| u64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok())
        .unwrap_or(0)
}

fn row(entry: Entry) -> AuditRow {
    let record = entry.record;
    AuditRow {
        seq: entry.seq,
        at: entry.at,
        kind: word(record.kind).to_owned(),
        id: record.link,
        session: record.session,
        host: record.host,
        port: record.port,
        method: record.method,
        path: record.path,
        auth_injected: record.auth_injected,
        decision: record.decision,
        rule: record.rule,
        note: record.note,
        status: record.status,
        bytes_up: record.bytes_up.unwrap_or(0),
        bytes_down: record.bytes_down.unwrap_or(0),
        duration_ms: record.duration_ms.unwrap_or(0),
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Decision => "decision",
        Kind::Close => "close",
        Kind::Refusal => "refusal",
        Kind::Tunnel => "tunnel",
        Kind::Recovered => "recovered",
        Kind::Rotated => "rotated",
        Kind::Full => "full",
    }
}
