//! A report for people.

use super::{
    report::{ModeFigures, Report},
    sample::{BlockSample, Mode, Stage},
    statistics::{Distribution, Estimate},
};
use std::fmt::Write;

/// The summary.
pub(crate) fn summary(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_summary(&mut out, report);
    out
}

/// One block in one line.
pub(crate) fn block_line(mode: Mode, block: &BlockSample) -> String {
    let total_ms = block.total.as_secs_f64() * 1e3;
    let mgas = block.gas_used as f64 / 1e6;
    let mut line = format!(
        "block {:>8} {:.10} {:<8} {:>8.1} Mgas/s {:>9.3} ms {:>5} txs {:>7.2} Mgas |",
        block.number,
        block.hash.to_string(),
        mode.name(),
        if total_ms > 0.0 { mgas / total_ms * 1e3 } else { 0.0 },
        total_ms,
        block.transactions,
        mgas,
    );
    for stage in Stage::ALL {
        let _ = write!(line, " {} {:.3}", stage.name(), block.stages.of(stage).as_secs_f64() * 1e3);
    }
    line
}

fn write_summary(out: &mut String, report: &Report) -> std::fmt::Result {
    let chain = &report.chain;
    writeln!(out, "chain       {}", report.input)?;
    writeln!(
        out,
        "            {} blocks ({} to {}), {} transactions, {:.1} Mgas, head {:.18}…",
        chain.blocks,
        chain.first,
        chain.last,
        chain.transactions,
        chain.gas as f64 / 1e6,
        chain.head,
    )?;
    let settings = report.settings;
    writeln!(
        out,
        "            {} workers, {} warm-up and {} measured runs of each mode",
        settings.workers, settings.warmup, settings.repeat,
    )?;
    for (mode, figures) in [(Mode::Serial, &report.serial), (Mode::Parallel, &report.parallel)] {
        if let Some(figures) = figures {
            write_mode(out, mode, figures)?;
        }
    }
    if let (Some(execute), Some(block)) = (report.execute_speedup_estimate, report.block_speedup_estimate) {
        writeln!(out, "\nparallel against serial")?;
        writeln!(out, "  execute   {}", times(&execute))?;
        writeln!(out, "  block     {}", times(&block))?;
    }
    writeln!(out, "\npeak memory {:.1} MiB", report.peak_rss_bytes as f64 / f64::from(1 << 20))
}

fn write_mode(out: &mut String, mode: Mode, figures: &ModeFigures) -> std::fmt::Result {
    let rate = &figures.mgas_per_s_estimate;
    writeln!(out, "\n{:<9} {:>9.1} Mgas/s{}", mode.name(), rate.mean, reach(rate))?;
    writeln!(out, "  {:<11}{:>10}{:>10}{:>10}{:>10}", "ms a block", "mean", "p50", "p90", "p99")?;
    write_row(out, "block", &figures.ms_per_block)?;
    for stage in Stage::ALL {
        if let Some(distribution) = figures.stages_ms.get(stage.name()) {
            write_row(out, stage.name(), distribution)?;
        }
    }
    write_row(out, "(hand over)", &figures.hand_over_ms)?;
    let paths = figures.paths;
    writeln!(
        out,
        "  blocks run in parallel {}, inline {}, sequentially {}, again after a fault {}",
        paths.parallel, paths.inline, paths.sequential, paths.fallback,
    )?;
    writeln!(out, "  merkleization hidden {:.1} %", figures.merkleize_hidden_share * 100.0)?;
    let (persistence, wall) = (&figures.persistence_ms, &figures.wall_s);
    writeln!(
        out,
        "  a run {:.3} s{}, then {:.1} ms{} until all was on disk",
        wall.mean,
        reach(wall),
        persistence.mean,
        reach(persistence)
    )
}

fn write_row(out: &mut String, name: &str, row: &Distribution) -> std::fmt::Result {
    writeln!(out, "  {name:<11}{:>10.3}{:>10.3}{:>10.3}{:>10.3}", row.mean, row.p50, row.p90, row.p99)
}

fn times(estimate: &Estimate) -> String {
    match estimate.ci95 {
        None => format!("{:.2}x", estimate.mean),
        Some(interval) => {
            format!("{:.2}x (95 % confidence {:.2} to {:.2})", estimate.mean, interval.low, interval.high)
        }
    }
}

fn reach(estimate: &Estimate) -> String {
    estimate.relative_error().map_or_else(String::new, |error| format!(" ± {:.1} %", error * 100.0))
}
