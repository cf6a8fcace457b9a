//! When each fork switches on, and the check that a schedule makes sense.

use crate::{Fork, Switch};

/// Block numbers and timestamps at which the forks switch on.
///
/// Frontier is always on. Paris carries no entry: it switches on by total difficulty, see
/// [`crate::ChainSpec::terminal_total_difficulty`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    at: [Option<u64>; Fork::COUNT],
}

/// Why a schedule is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// A fork is scheduled before one that it builds on.
    #[error("{later} is scheduled at {later_at}, before {earlier} at {earlier_at}")]
    OutOfOrder {
        /// The fork that must come first.
        earlier: Fork,
        /// Its block number or timestamp.
        earlier_at: u64,
        /// The fork that must not come before it.
        later: Fork,
        /// Its block number or timestamp.
        later_at: u64,
    },
    /// A fork is scheduled though one that it builds on is not.
    #[error("{later} is scheduled, but {missing} is not")]
    Missing {
        /// The fork without an entry.
        missing: Fork,
        /// The fork that builds on it.
        later: Fork,
    },
}

impl Schedule {
    /// A schedule with every fork up to `last` on from the start, except the DAO fork, which is an event in
    /// mainnet's history rather than a change of rules. Blob-parameter-only forks past the second, which
    /// mainnet has not scheduled, are included only if `last` is one of them.
    pub fn all_at_genesis(last: Fork) -> Self {
        let mut schedule = Self::default();
        let is_scheduled = |fork: &Fork| match fork {
            Fork::Dao => false,
            Fork::Bpo3 | Fork::Bpo4 | Fork::Bpo5 => *fork <= last && last < Fork::Amsterdam,
            _ => *fork <= last,
        };
        for fork in Fork::ALL.into_iter().filter(is_scheduled) {
            schedule.set(fork, Some(0));
        }
        schedule
    }

    /// The block number or timestamp (see [`Fork::switch`]) at which `fork` switches on.
    pub fn at(&self, fork: Fork) -> Option<u64> {
        self.at[fork.index()]
    }

    /// Schedules `fork` at a block number or timestamp, or takes it out.
    pub fn set(&mut self, fork: Fork, at: Option<u64>) {
        self.at[fork.index()] = at;
    }

    /// The latest fork that is on in a proof-of-work block.
    pub fn fork_at_number(&self, number: u64) -> Fork {
        self.latest(Switch::BlockNumber, number).unwrap_or(Fork::Frontier)
    }

    /// The latest fork that is on in a proof-of-stake block.
    pub fn fork_at_timestamp(&self, timestamp: u64) -> Fork {
        self.latest(Switch::Timestamp, timestamp).unwrap_or(Fork::Paris)
    }

    /// Whether `fork` is switched on by block `number`, whatever else is.
    pub fn is_on_at_number(&self, fork: Fork, number: u64) -> bool {
        self.at(fork).is_some_and(|at| at <= number)
    }

    /// Every scheduled fork with the given switch, oldest fork first, with its number or timestamp.
    pub fn entries(&self, switch: Switch) -> impl Iterator<Item = (Fork, u64)> + '_ {
        Fork::ALL
            .into_iter()
            .filter(move |fork| fork.switch() == switch)
            .filter_map(|fork| Some((fork, self.at(fork)?)))
    }

    /// Checks that every fork comes no earlier than the ones it builds on, and that none of those is missing.
    ///
    /// As geth does: the DAO fork, the glaciers and the blob-parameter-only forks may be left out, and
    /// a blob-parameter-only fork is ordered after Osaka and its own kind, not against Amsterdam.
    ///
    /// # Errors
    /// The first pair of forks that contradicts this.
    pub fn check(&self) -> Result<(), ScheduleError> {
        if let (None, Some((later, _))) = (self.at(Fork::London), self.entries(Switch::Timestamp).next()) {
            return Err(ScheduleError::Missing { missing: Fork::London, later });
        }
        let without_blob_forks = |fork: &Fork| !fork.is_blob_parameter_only();
        self.check_line(Fork::ALL.into_iter().filter(|f| f.switch() == Switch::BlockNumber))?;
        self.check_line(Fork::ALL.into_iter().filter(|f| f.switch() == Switch::Timestamp).filter(without_blob_forks))?;
        self.check_line(Fork::ALL.into_iter().filter(|fork| *fork == Fork::Osaka || fork.is_blob_parameter_only()))
    }

    fn check_line(&self, line: impl Iterator<Item = Fork>) -> Result<(), ScheduleError> {
        let mut missing: Option<Fork> = None;
        let mut earlier: Option<(Fork, u64)> = None;
        for later in line.filter(|fork| *fork != Fork::Frontier) {
            let Some(later_at) = self.at(later) else {
                if !may_be_left_out(later) {
                    missing = missing.or(Some(later));
                }
                continue;
            };
            if let Some(missing) = missing {
                return Err(ScheduleError::Missing { missing, later });
            }
            if let Some((earlier, earlier_at)) = earlier.filter(|(_, at)| *at > later_at) {
                return Err(ScheduleError::OutOfOrder { earlier, earlier_at, later, later_at });
            }
            earlier = Some((later, later_at));
        }
        Ok(())
    }

    fn latest(&self, switch: Switch, point: u64) -> Option<Fork> {
        self.entries(switch).filter(|(_, at)| *at <= point).map(|(fork, _)| fork).max()
    }
}

fn may_be_left_out(fork: Fork) -> bool {
    matches!(fork, Fork::Dao | Fork::MuirGlacier | Fork::ArrowGlacier | Fork::GrayGlacier)
        || fork.is_blob_parameter_only()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Fork::*;

    #[track_caller]
    fn check(edits: &[(Fork, Option<u64>)], expected: Result<(), ScheduleError>) {
        let mut schedule = Schedule::all_at_genesis(Amsterdam);
        for (fork, at) in edits {
            schedule.set(*fork, *at);
        }
        assert_eq!(schedule.check(), expected);
    }

    #[test]
    fn schedules_are_checked() {
        check(&[], Ok(()));
        check(&[(MuirGlacier, None), (ArrowGlacier, None), (GrayGlacier, None)], Ok(()));
        check(&[(Bpo1, None), (Bpo2, None)], Ok(()));
        check(&[(Amsterdam, Some(5)), (Bpo3, Some(9))], Ok(()));
        check(&[(Amsterdam, None), (Osaka, None), (Bpo1, None), (Bpo2, None)], Ok(()));
        check(&[(Byzantium, None)], Err(ScheduleError::Missing { missing: Byzantium, later: Constantinople }));
        check(&[(Osaka, None)], Err(ScheduleError::Missing { missing: Osaka, later: Amsterdam }));
        check(
            &[(Berlin, Some(6))],
            Err(ScheduleError::OutOfOrder { earlier: Berlin, earlier_at: 6, later: London, later_at: 0 }),
        );
        check(
            &[(Bpo1, Some(6)), (Bpo2, Some(5))],
            Err(ScheduleError::OutOfOrder { earlier: Bpo1, earlier_at: 6, later: Bpo2, later_at: 5 }),
        );
    }

    #[test]
    fn the_latest_fork_is_found() {
        let mut schedule = Schedule::all_at_genesis(Berlin);
        schedule.set(London, Some(10));
        schedule.set(Shanghai, Some(1_000));
        assert_eq!(schedule.fork_at_number(9), Berlin);
        assert_eq!(schedule.fork_at_number(10), London);
        assert_eq!(schedule.fork_at_timestamp(999), Paris);
        assert_eq!(schedule.fork_at_timestamp(1_000), Shanghai);
    }
}
