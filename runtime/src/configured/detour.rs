//! What is asked for in place of a page that the API does not give.

use jiff::Timestamp;

use super::paging::{self, Paging};
use super::progress::Span;
use super::{ConfiguredOperation, OperationPlan, now};
use crate::http::Detour;
use crate::operation::PageOutcome;
use crate::position::Position;

/// The shortest time that a window is cut into.
const SHORTEST_SECONDS: i64 = 1;

impl OperationPlan {
    /// Whether there is ever something else to ask for.
    ///
    /// # Errors
    ///
    /// Why not, as the end of a sentence.
    pub(crate) fn allows(&self, detour: Detour) -> Result<(), &'static str> {
        match (detour, &self.paging) {
            (Detour::Skip, _) if self.windows.is_some() => Ok(()),
            (Detour::Skip, Paging::Page { .. }) => Ok(()),
            (Detour::Skip, paging) if paging.full().is_some() => Ok(()),
            (Detour::Skip, _) => {
                Err("only the page itself says what comes after it, unless pages are numbered (PAGE), \
                                      counted by `http.pagination.limit.value` (OFFSET), or of time windows")
            }
            (Detour::Shrink, Paging::Page { .. }) => Err("with another size pages have other numbers: use OFFSET"),
            (Detour::Shrink, _) if self.page_size.is_some() => Ok(()),
            (Detour::Shrink, _) => {
                Err("no size of pages is asked for: it goes with `http.pagination.type=OFFSET` and \
                     `http.pagination.limit.value`")
            }
            (Detour::Split, _) if self.windows.is_some() => Ok(()),
            (Detour::Split, _) => Err("the stream goes through no time windows"),
            (Detour::Restart, Paging::Increment { .. } | Paging::Chain { .. }) => {
                Err("the offset goes on from cycle to cycle, and there is no first page to go back to")
            }
            (Detour::Restart, _) => Ok(()),
        }
    }
}

impl ConfiguredOperation {
    /// Where to go on in place of the page that `position` stands before.
    ///
    /// # Errors
    ///
    /// Why there is nothing else to ask for, as the end of a sentence.
    pub(super) fn detour_from(&self, position: &Position, detour: Detour) -> Result<PageOutcome, &'static str> {
        self.plan.allows(detour)?;
        match detour {
            Detour::Skip => self.skip(position),
            Detour::Shrink => self.shrink(position),
            Detour::Split => split(position),
            Detour::Restart => self.restart(position),
        }
    }

    /// After the page, or with time windows after the window.
    fn skip(&self, position: &Position) -> Result<PageOutcome, &'static str> {
        let (offset, mut progress) = position.clone().into_configured();
        if let (Some(windows), Some(window)) = (&self.plan.windows, progress.window) {
            let (window, more) = windows.after(window, None, now());
            (progress.within, progress.primary_key, progress.window) = (None, None, Some(window));
            let offset = if self.begins_windows_anew() { self.plan.initial_offset.clone() } else { offset };
            return Ok(PageOutcome { position: Position::configured(offset, progress), more });
        }
        if let Some((offset, progress)) =
            paging::ahead(&self.plan.paging, self.asks_by_offset, offset.clone(), progress.clone())
        {
            return Ok(PageOutcome { position: Position::configured(offset, progress), more: true });
        }
        if !self.asks_by_offset {
            return Err("the request is the same for every page");
        }
        // By what the API has declared, it was the last page.
        let within = progress.within.take();
        let (offset, seen) = match within.filter(|_| self.plan.newest.is_some()) {
            Some(within) => (within.newest, within.newest_seen),
            None => (offset, progress.seen.clone()),
        };
        (progress.seen, progress.size) = (seen, None);
        Ok(PageOutcome { position: Position::configured(offset, progress), more: false })
    }

    /// Before the same page, of half as many records.
    fn shrink(&self, position: &Position) -> Result<PageOutcome, &'static str> {
        let (offset, mut progress) = position.clone().into_configured();
        let size = progress.size.or(self.plan.paging.full()).unwrap_or(1);
        if size < 2 {
            return Err("one record is the smallest page");
        }
        progress.size = Some(size / 2);
        Ok(PageOutcome { position: Position::configured(offset, progress), more: true })
    }

    /// Before the first page: of the cycle or the time window; or if it is that one which cannot be had, because it is asked
    /// for by what an earlier cycle has left, of all.
    fn restart(&self, position: &Position) -> Result<PageOutcome, &'static str> {
        let (mut offset, mut progress) = position.clone().into_configured();
        let names_its_beginning = matches!(self.plan.paging, Paging::Cursor { .. } | Paging::OData);
        if progress.within.take().is_none() {
            if !names_its_beginning || offset == self.plan.initial_offset {
                return Err("it is the first page that cannot be had");
            }
            offset.clone_from(&self.plan.initial_offset);
            progress.seen.clear();
        } else if self.plan.windows.is_some() && self.begins_windows_anew() {
            offset.clone_from(&self.plan.initial_offset);
        }
        progress.primary_key = None;
        Ok(PageOutcome { position: Position::configured(offset, progress), more: true })
    }

    /// Whether the offset that a window ends with says nothing of the next one.
    fn begins_windows_anew(&self) -> bool {
        self.plan.windows.as_ref().is_some_and(|windows| windows.relative)
            || matches!(self.plan.paging, Paging::Cursor { .. })
    }
}

/// Before the first half of the time window.
fn split(position: &Position) -> Result<PageOutcome, &'static str> {
    let (offset, mut progress) = position.clone().into_configured();
    if progress.within.is_some() {
        return Err("a part of the time window has been read");
    }
    let window = progress.window.as_mut().ok_or("no time window is under way")?;
    let end = window.end.ok_or("no time window is under way")?;
    let (first, last) = (window.start.as_second(), end.as_second());
    if last.saturating_sub(first) <= SHORTEST_SECONDS {
        return Err("the time window is no longer than a second");
    }
    let middle = first.midpoint(last);
    window.part_of = window.part_of.or(Some(Span { start: window.start, end }));
    window.end = Some(Timestamp::from_second(middle).unwrap_or(end));
    Ok(PageOutcome { position: Position::configured(offset, progress), more: true })
}
