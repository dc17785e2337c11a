//! The signs of what the agent does: the newest counts, whoever gave it.

use std::collections::BTreeMap;

use super::open::Open;
use super::status::{Activity, Status};
use crate::item::{Item, Source};

/// A sign of what the agent does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sign {
    /// It began, with something to do or without.
    Started {
        prompted: bool,
    },
    Working,
    /// The model's service could not answer, and is to be asked again.
    Retries,
    /// The model has answered and waits for what its tools give.
    Calls,
    Compacting,
    /// It asks for leave, or an answer.
    Asking,
    /// It waits, for whatever reason.
    Waiting,
    TurnEnded,
    /// The model has said what it wanted to say; the agent may have more to do.
    Answered,
    Interrupted,
    /// An answer of the model was cut.
    Cut,
    Failed(String),
    Ended(Option<i32>),
}

impl Sign {
    fn is_work(&self) -> bool {
        matches!(self, Self::Working | Self::Retries | Self::Calls)
    }

    /// Whether it tells of the end of what was asked, or that nothing was.
    fn is_end(&self) -> bool {
        match self {
            Self::TurnEnded | Self::Answered | Self::Interrupted | Self::Failed(_) => true,
            Self::Started { prompted } => !prompted,
            _ => false,
        }
    }
}

/// The newest sign of each source, and when it was given, in microseconds.
#[derive(Debug, Default)]
pub(super) struct Board {
    /// Each source's newest sign, and since when it says the same.
    signs: BTreeMap<Source, Seen>,
    /// Each source's newest sign of an end.
    ends: BTreeMap<Source, Seen>,
    /// When the model was asked last in the main thread.
    asked: u64,
    /// When it was asked last to sum up the conversation.
    summed_up: u64,
    /// When the agent began or ended last, and whether it was given something to do.
    began: (u64, bool),
    /// How many signs were seen.
    count: u64,
}

#[derive(Debug, Clone)]
struct Seen {
    sign: Sign,
    at: u64,
    since: u64,
}

/// One who says something of itself says all of it within this time.
const SAYS_SO_US: u64 = 1_500_000;
/// One who draws that it waits says why within this time: 230 ms were seen, and a transcript is looked at every 250 ms.
const SAYS_WHY_US: u64 = 500_000;
/// The longest pause between two tries that was seen is 38 s.
const RETRY_US: u64 = 60_000_000;

impl Board {
    pub fn see(&mut self, source: Source, sign: Sign, at: u64) {
        self.count += 1;
        match (source, &sign) {
            (Source::Tap, Sign::Working) => self.asked = self.asked.max(at),
            (Source::Tap, Sign::Compacting) => self.summed_up = self.summed_up.max(at),
            (Source::Daemon, Sign::Started { prompted }) => self.began = (at, *prompted),
            (Source::Daemon, Sign::Ended(_)) => self.began = (at, false),
            _ => {}
        }
        let since = match self.signs.get_mut(&source) {
            Some(seen) if seen.at > at => return,
            // That the turn is over does not mend that it failed.
            Some(seen) if matches!((&seen.sign, &sign), (Sign::Failed(_), Sign::TurnEnded)) => {
                seen.at = at;
                return;
            }
            Some(seen) if seen.sign == sign || (seen.sign.is_work() && sign.is_work()) => {
                seen.since
            }
            _ => at,
        };
        let seen = Seen { sign, at, since };
        if seen.sign.is_end() {
            self.ends.insert(source, seen.clone());
        }
        self.signs.insert(source, seen);
    }

    /// Returns how many signs were seen, so that a viewer knows that there may be another status.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns when the agent was asked last to sum up the conversation, in milliseconds since 1970.
    pub fn summed_up_ms(&self) -> u64 {
        self.summed_up / 1_000
    }

    fn of(&self, source: Source) -> Option<&Seen> {
        self.signs.get(&source)
    }

    /// Whether this is the newest sign of a source.
    pub fn says(&self, source: Source, sign: &Sign) -> bool {
        self.of(source).is_some_and(|seen| seen.sign == *sign)
    }

    fn newest(&self) -> Option<&Seen> {
        let newest = |(source, seen): &(&Source, &Seen)| (seen.at, std::cmp::Reverse(**source));
        self.signs.iter().max_by_key(newest).map(|(_, seen)| seen)
    }

    /// Says what the agent does.
    pub fn status(&self, now_ms: u64, open: Open) -> Status {
        let now = now_ms.saturating_mul(1_000);
        let (activity, since) = match (self.newest(), self.drawn()) {
            (None, _) => (Activity::Unknown, 0),
            (_, Some(drawn)) => self.by_drawing(drawn, now, open),
            (Some(newest), None) => self.by_newest(newest, now, open),
        };
        Status {
            activity,
            since_ms: since / 1_000,
        }
    }

    /// What the agent draws of itself, since it began.
    fn drawn(&self) -> Option<&Seen> {
        let since = self.began.0;
        self.of(Source::Terminal).filter(|drawn| drawn.at > since)
    }

    /// What an agent draws holds until it draws otherwise, while reports come late, twice, from anybody or not at all. So the
    /// drawing says whether it works, and the others say on what, or what it waits for.
    fn by_drawing(&self, drawn: &Seen, now: u64, open: Open) -> (Activity, u64) {
        let tap = self.of(Source::Tap);
        let working = Activity::Working { doing: open.doing };
        let asks = tap.filter(|tap| {
            let more = match tap.sign {
                Sign::Working => true,
                // A turn that fails at once may never be drawn.
                Sign::Retries => self.end(true).is_none(),
                // It has an answer to draw.
                Sign::Answered => now.saturating_sub(tap.at) < SAYS_SO_US,
                _ => false,
            };
            more && tap.at > drawn.at
        });
        let told = open.item.filter(|_| open.told || tap.is_none());
        if drawn.sign.is_work() || asks.is_some() {
            let since = match drawn.sign.is_work() {
                true => drawn.since,
                false => asks.map_or(drawn.since, |tap| tap.since),
            };
            let compacts = |seen: &&Seen| seen.sign == Sign::Compacting && seen.at > self.asked;
            return match self.signs.values().find(compacts) {
                Some(seen) => (Activity::compacting(), seen.since),
                None => (working, since),
            };
        }
        if let Some(item) = told.filter(|item| self.stands(item)) {
            return (Activity::needs(Some(&item)), item.order);
        }
        let pending = tap.is_some_and(|tap| tap.sign.is_work());
        let end = self.end(pending);
        let activity = match end.map(|seen| &seen.sign) {
            Some(Sign::Failed(why)) => Activity::failed(why),
            Some(Sign::Interrupted) => Activity::Interrupted,
            Some(_) => Activity::Idle,
            None => self.waits_for_nobody_knows(drawn, pending, now, working),
        };
        // A turn may be over before the agent has drawn that it works.
        let since = match end {
            Some(end) if drawn.since < self.asked => end.since,
            _ => drawn.since,
        };
        (activity, since)
    }

    /// The newest sign of an end of what was asked last.
    fn end(&self, pending: bool) -> Option<&Seen> {
        let ends = self.ends.iter().filter(|(source, seen)| {
            // While a tool is to give something, no turn is over.
            let goes_on = pending && seen.sign == Sign::TurnEnded;
            seen.at > self.asked.max(self.summed_up)
                && !goes_on
                && !self.denies(**source, &seen.sign)
        });
        let ends: Vec<&Seen> = ends.map(|(_, seen)| seen).collect();
        let newest = ends.iter().copied().max_by_key(|seen| seen.at)?;
        // Several tell of one failure: what the service said counts more than what the agent makes of it.
        let failed = |seen: &&Seen| matches!(seen.sign, Sign::Failed(_));
        match failed(&newest) {
            true => ends.into_iter().find(failed),
            false => Some(newest),
        }
    }

    /// A report alone does not fail what the proxy saw answered.
    fn denies(&self, source: Source, sign: &Sign) -> bool {
        let answered = |tap: &Seen| matches!(tap.sign, Sign::Answered | Sign::Calls);
        let failed = source == Source::Hook && matches!(sign, Sign::Failed(_));
        failed && self.of(Source::Tap).is_some_and(answered)
    }

    /// Whether nothing tells that what an agent asked is over.
    fn stands(&self, item: &Item) -> bool {
        let tap = self.of(Source::Tap);
        let goes_on = tap.is_none_or(|tap| tap.sign.is_work() || tap.at < item.order);
        let over = |(source, seen): (&Source, &Seen)| {
            let ended = matches!(seen.sign, Sign::Interrupted | Sign::Failed(_));
            ended && seen.at > item.order && !self.denies(*source, &seen.sign)
        };
        goes_on && !self.ends.iter().any(over)
    }

    /// It draws that it waits, and nobody says why.
    fn waits_for_nobody_knows(
        &self,
        drawn: &Seen,
        pending: bool,
        now: u64,
        working: Activity,
    ) -> Activity {
        let newest = self.newest().map_or(drawn.at, |seen| seen.at);
        let written = self.signs.contains_key(&Source::Transcript);
        let answered = self.of(Source::Daemon).map_or(0, |seen| seen.at);
        let since = self.asked.max(answered);
        let asking = |seen: &Seen| seen.sign == Sign::Asking && seen.at > since;
        let tap = self.of(Source::Tap).map(|seen| &seen.sign);
        match (self.began, tap) {
            _ if pending && self.of(Source::Hook).is_some_and(asking) => Activity::needs(None),
            // It has drawn itself and not begun with what it was given to do.
            ((began, true), _) if self.asked <= began => Activity::Unknown,
            (_, Some(Sign::Compacting)) => Activity::Idle,
            // Reports of work that nobody else tells of.
            (_, None) if !written => Activity::Idle,
            _ if now.saturating_sub(newest) < SAYS_WHY_US => working,
            // No call is there that it could ask about: a person did not wait for the answer, or it gave up and says so soon.
            (_, Some(Sign::Cut | Sign::Retries)) if now.saturating_sub(newest) < SAYS_SO_US => {
                Activity::Unknown
            }
            (_, Some(Sign::Cut | Sign::Retries)) => Activity::Interrupted,
            _ => Activity::Unknown,
        }
    }

    /// An agent that draws nothing is known by the newest sign alone.
    fn by_newest(&self, newest: &Seen, now: u64, open: Open) -> (Activity, u64) {
        let Open { item, doing, .. } = open;
        let working = |doing| (Activity::Working { doing }, self.works_since());
        let lasts = |time| now.saturating_sub(newest.at) < time;
        let plain = |activity| (activity, newest.since);
        match &newest.sign {
            Sign::Ended(Some(0) | None) => plain(Activity::Done),
            Sign::Ended(Some(code)) => plain(Activity::failed(&format!(
                "The agent ended with code {code}."
            ))),
            Sign::Started { .. } => plain(Activity::Unknown),
            sign if self.is_asked(sign) && item.is_some() => {
                let since = item.as_ref().map_or(newest.since, |item| item.order);
                (Activity::needs(item.as_ref()), since)
            }
            Sign::Asking => plain(Activity::needs(None)),
            Sign::Compacting => plain(Activity::compacting()),
            Sign::Working | Sign::Retries | Sign::Calls => working(doing),
            Sign::TurnEnded | Sign::Waiting => plain(Activity::Idle),
            Sign::Answered if lasts(SAYS_SO_US) => working(doing),
            Sign::Answered => plain(Activity::Idle),
            Sign::Interrupted => plain(Activity::Interrupted),
            Sign::Failed(why) => plain(Activity::failed(why)),
            Sign::Cut if lasts(RETRY_US) => working(doing),
            Sign::Cut => plain(Activity::Unknown),
        }
    }

    /// Whether an open question or approval may still stand. Other calls of the same answer may be running beside it.
    fn is_asked(&self, newest: &Sign) -> bool {
        let asking = |seen: &Seen| seen.sign == Sign::Asking;
        match newest {
            Sign::Asking => true,
            Sign::Working | Sign::Retries | Sign::Calls | Sign::Answered | Sign::TurnEnded => {
                self.of(Source::Hook).is_some_and(asking)
            }
            _ => false,
        }
    }

    /// Since when it works: as long as any source says so without a break.
    fn works_since(&self) -> u64 {
        let working = self.signs.values().filter(|seen| seen.sign.is_work());
        working.map(|seen| seen.since).min().unwrap_or(0)
    }

    /// When the status may change by the mere passing of time, in milliseconds.
    pub fn deadlines(&self) -> impl Iterator<Item = u64> {
        let drawn = self.drawn().map(|seen| seen.at);
        let newest = self.newest().map(|seen| seen.at);
        let ends = drawn
            .into_iter()
            .chain(newest)
            .flat_map(|at| [SAYS_WHY_US, SAYS_SO_US, RETRY_US].map(|time| at.saturating_add(time)));
        ends.map(|at| at.div_ceil(1_000))
    }
}
