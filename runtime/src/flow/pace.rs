//! How the pauses between cycles depart from the schedule.

use std::time::Duration;

use fastrand::Rng;

use crate::schedule::Schedule;

/// How the pauses between cycles depart from the schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Each pause is longer by up to this, drawn anew each time, so that many connectors do not ask at the same instant.
    pub jitter: Duration,
    /// A pause between cycles doubles with each cycle that brings nothing, up to this. `None`: it does not.
    pub idle: Option<Duration>,
}

impl Pace {
    /// The pause after as many cycles without records as `empty`, where `schedule` has `pause`.
    pub(super) fn pause(&self, schedule: &Schedule, pause: Duration, empty: u32, rng: &mut Rng) -> Duration {
        let pause = match (schedule, self.idle) {
            (Schedule::Interval(_), Some(most)) => {
                let factor = 1_u32.checked_shl(empty).unwrap_or(u32::MAX);
                pause.saturating_mul(factor).min(most.max(pause))
            }
            _ => pause,
        };
        pause.saturating_add(self.jitter.mul_f64(rng.f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_while_cycles_bring_nothing_and_are_spread() {
        let second = Duration::from_secs(1);
        let schedule = Schedule::Interval(second);
        let mut rng = Rng::with_seed(1);
        let idle = Pace { idle: Some(6 * second), ..Pace::default() };
        let mut pauses =
            |pace: &Pace| [0, 1, 2, 3, 40].map(|empty| pace.pause(&schedule, second, empty, &mut rng).as_secs_f64());
        assert_eq!(pauses(&idle), [1.0, 2.0, 4.0, 6.0, 6.0]);
        assert_eq!(pauses(&Pace::default()), [1.0; 5]);
        let short = Pace { idle: Some(second / 2), ..Pace::default() };
        assert_eq!(pauses(&short), [1.0; 5], "never shorter than the interval");
        let spread = pauses(&Pace { jitter: second, ..Pace::default() });
        assert!(spread.iter().all(|pause| (1.0..2.0).contains(pause)), "{spread:?}");
        assert!(spread.windows(2).any(|pair| pair[0] != pair[1]));
    }
}
