//! Time windows: what a cycle asks for by time, one window after the other up to now.

use std::time::Duration;

use jiff::Timestamp;

use super::pointer::{Pointer, scalar};
use super::progress::Window;
use super::time::{TimeFormat, read_any};
use crate::slice::Slice;

/// How the windows of a stream follow one another.
#[derive(Clone, Debug)]
pub struct Windows {
    /// Where the first one begins; `None`: one length before now.
    pub start: Option<Timestamp>,
    /// Where the first one ends; `None`: one length after its beginning.
    pub end: Option<Timestamp>,
    /// How long they are.
    pub length: Duration,
    /// How far they stay behind the clock.
    pub delay: Duration,
    /// Where a response says what the next window begins with.
    pub next: Option<Pointer>,
    /// How it writes that.
    pub format: TimeFormat,
    /// Whether the records of a window are ordered only among themselves, so that each begins at the initial offset.
    pub relative: bool,
    /// Whether the first one is the only one.
    pub single: bool,
}

impl Windows {
    /// Those of a slice: the one of a step of a backfill, or those from where a live slice begins.
    #[must_use]
    pub(super) fn of_slice(self, slice: &Slice) -> Self {
        match (slice.range(), slice.live()) {
            (Some(range), _) => {
                Self { start: Some(range.start), end: Some(range.end), delay: Duration::ZERO, single: true, ..self }
            }
            (None, Some(live)) => Self { start: Some(live), end: None, ..self },
            (None, None) => self,
        }
    }

    /// The window to ask for, `window` being the last known.
    pub(super) fn begin(&self, window: Option<Window>, now: Timestamp) -> Window {
        if let Some(window @ Window { end: Some(_), .. }) = window {
            return window;
        }
        let latest = self.latest(now);
        let start = match window {
            Some(window) => window.start,
            None => self.start.unwrap_or_else(|| earlier(latest, self.length)),
        };
        let end = match self.end.filter(|_| window.is_none()) {
            Some(end) => end,
            None => later(start, self.length),
        };
        Window { start, end: Some(end.min(latest).max(start)), part_of: None }
    }

    /// The window after `window`, which is read to its end, and whether it is due. `named` is what the response says that
    /// it begins with.
    pub(super) fn after(&self, window: Window, named: Option<Timestamp>, now: Timestamp) -> (Window, bool) {
        let end = window.end.unwrap_or(window.start);
        if let Some(part_of) = window.part_of.filter(|part_of| part_of.end > end) {
            return (Window { start: end, end: Some(part_of.end), part_of: Some(part_of) }, true);
        }
        let began = window.part_of.map_or(window.start, |part_of| part_of.start);
        let start = named.filter(|named| *named > window.start).unwrap_or(end);
        // One that the clock has cut short is followed by one of the next cycle, however long it took to read.
        let whole = end == later(began, self.length) || Some(end) == self.end;
        let due = !self.single && whole && end > began && end < self.latest(now);
        (Window { start, end: None, part_of: None }, due)
    }

    /// What a response says that the next window begins with; `None` if it says nothing.
    ///
    /// # Errors
    ///
    /// If the response is not JSON.
    pub(super) fn named(&self, body: &str) -> Result<Option<Timestamp>, serde_json::Error> {
        let Some(pointer) = self.next.as_ref().filter(|_| !body.trim().is_empty()) else { return Ok(None) };
        let text = pointer.find(body)?.and_then(|value| scalar(value).ok().flatten());
        Ok(text.and_then(|text| self.format.read(&text).or_else(|| read_any(&text))))
    }

    /// The latest end of a window.
    fn latest(&self, now: Timestamp) -> Timestamp {
        earlier(now, self.delay)
    }
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slice::Range;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn daily() -> Windows {
        Windows {
            start: Some(at("2024-01-01T00:00:00Z")),
            end: None,
            length: Duration::from_secs(86_400),
            delay: Duration::from_secs(60),
            next: None,
            format: TimeFormat::UnixMillis,
            relative: false,
            single: false,
        }
    }

    #[test]
    fn a_step_of_a_backfill_is_one_window_and_the_live_stream_begins_where_it_is_told() {
        let now = at("2024-02-01T00:00:00Z");
        let range = Range { start: at("2023-01-01T00:00:00Z"), end: at("2023-02-01T00:00:00Z") };
        let step = daily().of_slice(&Slice::whole().step(range));
        let window = step.begin(None, now);
        assert_eq!((window.start, window.end), (range.start, Some(range.end)));
        assert!(!step.after(window, None, now).1);
        let live = daily().of_slice(&Slice::whole().live_from(range.end));
        assert_eq!(live.begin(None, now).start, range.end);
    }

    #[test]
    fn windows_follow_one_another_without_a_gap_up_to_the_delayed_now() {
        let (windows, now) = (daily(), at("2024-01-03T12:00:00Z"));
        let mut asked = Vec::new();
        let mut window = None;
        loop {
            let current = windows.begin(window, now);
            assert_eq!(windows.begin(Some(current), at("2030-01-01T00:00:00Z")), current, "a window stays as it is");
            asked.push((current.start.to_string(), current.end.unwrap().to_string()));
            let (next, due) = windows.after(current, None, now);
            window = Some(next);
            if !due {
                break;
            }
        }
        let expected = [
            ("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"),
            ("2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"),
            ("2024-01-03T00:00:00Z", "2024-01-03T11:59:00Z"),
        ];
        assert_eq!(asked, expected.map(|(start, end)| (start.to_owned(), end.to_owned())));
        // The next cycle goes on there.
        let current = windows.begin(window, at("2024-01-03T12:01:00Z"));
        assert_eq!((current.start, current.end), (at("2024-01-03T11:59:00Z"), Some(at("2024-01-03T12:00:00Z"))));
    }

    #[test]
    fn a_window_that_the_clock_cut_short_ends_the_cycle() {
        let windows = daily();
        let current = windows.begin(None, at("2024-01-01T12:00:00Z"));
        let (_, due) = windows.after(current, None, at("2024-01-01T12:00:01Z"));
        assert!(!due);
    }

    #[test]
    fn the_first_window_may_be_given_and_a_response_may_name_the_next() {
        let windows = Windows { end: Some(at("2024-01-01T06:00:00Z")), ..daily() };
        let now = at("2024-01-03T12:00:00Z");
        let first = windows.begin(None, now);
        assert_eq!(first.end, Some(at("2024-01-01T06:00:00Z")));
        let (next, due) = windows.after(first, Some(at("2024-01-01T05:30:00Z")), now);
        assert_eq!((next.start, next.end, due), (at("2024-01-01T05:30:00Z"), None, true));
        // A beginning that is not later would be the same window again.
        let (next, _) = windows.after(first, Some(first.start), now);
        assert_eq!(next.start, at("2024-01-01T06:00:00Z"));
        let relative = Windows { start: None, ..daily() };
        assert_eq!(relative.begin(None, now).start, at("2024-01-02T11:59:00Z"));
    }
}
