//! `balsa workload`: makes fixtures.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use crate::fixture::{self, FixtureError};
use crate::generate::Summary;
use crate::params::{Params, ParamsError};
use crate::prepare::{PrepareError, prepare};
use crate::profile::Profile;

/// Makes a chain of real transactions from a seed: genesis.json, chain.rlp and bals.rlp in a folder.
#[derive(Clone, Debug, Args)]
pub struct WorkloadArgs {
    /// The load to start from: quick, mainnet-mix or stress.
    #[arg(long, default_value = "mainnet-mix", conflicts_with = "params", value_parser = profile)]
    pub profile: Profile,
    /// A parameter file to start from, as the ones under fixtures/.
    #[arg(long, value_name = "FILE")]
    pub params: Option<PathBuf>,
    /// The folder to write to; it is created.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Also prepares a database in this folder that stands at the genesis block: for states too large for init.
    #[arg(long = "prepare", value_name = "DIR")]
    pub prepare: Option<PathBuf>,
    /// Another seed.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Another number of blocks.
    #[arg(long)]
    pub blocks: Option<u64>,
    /// Other rules: a fork from Paris on, as the test suites name it, or a fork "+EIP7928".
    #[arg(long)]
    pub fork: Option<String>,
    /// Another gas limit.
    #[arg(long = "gas-limit", value_name = "GAS")]
    pub gas_limit: Option<u64>,
    /// How many accounts hold ether and tokens from the start: the size of the state. 5,000,000 with two holdings each
    /// make a state of 10,000,000 slots.
    #[arg(long = "state.holders", value_name = "COUNT")]
    pub holders: Option<u64>,
    /// In how many tokens each of them has a balance.
    #[arg(long = "state.holdings", value_name = "COUNT")]
    pub holdings: Option<u64>,
    /// In so many of a thousand cases the hottest contract is used, in the others any.
    #[arg(long = "contention", value_name = "PERMILLE")]
    pub contention: Option<u64>,
}

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum CommandError {
    #[error("{path}: {error}")]
    Read { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Params(#[from] ParamsError),
    #[error(transparent)]
    Fixture(#[from] FixtureError),
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

impl WorkloadArgs {
    /// The parameters that the arguments ask for, checked.
    ///
    /// # Errors
    /// Those of reading and checking them.
    pub fn resolve(&self) -> Result<Params, CommandError> {
        let mut params = match &self.params {
            None => self.profile.params(),
            Some(path) => {
                let text = fs::read_to_string(path);
                Params::parse(&text.map_err(|error| CommandError::Read { path: path.clone(), error })?)?
            }
        };
        let replace = |place: &mut u64, value: Option<u64>| *place = value.unwrap_or(*place);
        replace(&mut params.seed, self.seed);
        replace(&mut params.blocks, self.blocks);
        replace(&mut params.block.gas_limit, self.gas_limit);
        replace(&mut params.state.holders, self.holders);
        replace(&mut params.state.holdings, self.holdings);
        replace(&mut params.contention.hot_permille, self.contention);
        params.fork = self.fork.clone().unwrap_or(params.fork);
        params.check()?;
        Ok(params)
    }
}

/// Runs the command; what it made is described on `out`. `progress` is told of each finished block and of all.
///
/// # Errors
/// See [`CommandError`].
pub fn run(
    args: &WorkloadArgs,
    out: &mut impl Write,
    mut progress: impl FnMut(u64, u64),
) -> Result<Summary, CommandError> {
    let params = args.resolve()?;
    let summary = fixture::write(&params, &args.out, |block| progress(block, params.blocks))?;
    describe(&summary, out)?;
    if let Some(folder) = &args.prepare {
        prepare(&params, folder, Default::default())?;
        writeln!(out, "database prepared in {}", folder.display())?;
    }
    writeln!(out, "written to {}", args.out.display())?;
    Ok(summary)
}

/// A few lines on a chain, then one for each kind of transaction.
fn describe(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let Summary { blocks, transactions, gas, genesis, head, kinds } = summary;
    writeln!(out, "{blocks} blocks, {transactions} transactions, {} Mgas", gas / 1_000_000)?;
    writeln!(out, "genesis {genesis}\nhead    {head}")?;
    writeln!(out, "{:<22}{:>9}{:>11}{:>14}{:>12}", "kind", "count", "succeeded", "regular gas", "state gas")?;
    for (kind, of_kind) in kinds {
        let mean = |gas: u64| gas / of_kind.count.max(1);
        let (regular, state) = (mean(of_kind.regular_gas), mean(of_kind.state_gas));
        let (count, succeeded) = (of_kind.count, of_kind.succeeded);
        writeln!(out, "{:<22}{count:>9}{succeeded:>11}{regular:>14}{state:>12}", format!("{kind:?}"))?;
    }
    Ok(())
}

fn profile(name: &str) -> Result<Profile, String> {
    Profile::named(name).ok_or_else(|| {
        let names: Vec<_> = Profile::ALL.into_iter().map(Profile::name).collect();
        format!("no load of that name; there are {}", names.join(", "))
    })
}
