//! One row for each block of each run, times in microseconds.

use super::sample::{Run, Stage};
use std::io::{self, Write};

/// Writes the header row and the blocks of `runs`; repeats of a mode are counted from 1.
pub(crate) fn write(out: &mut impl Write, runs: &[Run]) -> io::Result<()> {
    write!(out, "mode,repeat,number,hash,transactions,gas_used,total_us")?;
    for stage in Stage::ALL {
        write!(out, ",{}_us", stage.name())?;
    }
    writeln!(out, ",merkleize_hidden_us,hand_over_us")?;
    for (index, run) in runs.iter().enumerate() {
        let repeat = runs[..=index].iter().filter(|other| other.mode == run.mode).count();
        for block in &run.blocks {
            let (mode, total) = (run.mode.name(), block.total.as_micros());
            let (transactions, gas) = (block.transactions, block.gas_used);
            write!(out, "{mode},{repeat},{},{},{transactions},{gas},{total}", block.number, block.hash)?;
            for stage in Stage::ALL {
                write!(out, ",{}", block.stages.of(stage).as_micros())?;
            }
            writeln!(out, ",{},{}", block.merkleize_hidden.as_micros(), block.hand_over.as_micros())?;
        }
    }
    out.flush()
}
