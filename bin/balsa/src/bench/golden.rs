//! The renderings of a small report, letter by letter.

use super::{
    csv,
    report::{Report, Settings},
    sample::{BlockSample, Mode, Paths, Run, Stage, StageTimes},
    text,
};
use alloy_primitives::B256;
use std::time::Duration;

fn block(number: u64, total_us: u64, execute_us: u64, merkleize_us: u64, hidden_us: u64) -> BlockSample {
    let us = Duration::from_micros;
    let mut stages = StageTimes::default();
    stages.set(Stage::Decode, us(100));
    stages.set(Stage::Execute, us(execute_us));
    stages.set(Stage::Merkleize, us(merkleize_us));
    BlockSample {
        number,
        hash: B256::with_last_byte(number as u8),
        transactions: 200,
        gas_used: 60_000_000,
        total: us(total_us),
        stages,
        merkleize_hidden: us(hidden_us),
        hand_over: us(50),
    }
}

fn run(mode: Mode, blocks: Vec<BlockSample>) -> Run {
    let wall = blocks.iter().map(|block| block.total).sum();
    let mut paths = Paths::default();
    match mode {
        Mode::Serial => paths.sequential = blocks.len(),
        Mode::Parallel => paths.parallel = blocks.len(),
    }
    Run { mode, blocks, paths, wall, persistence: Duration::from_millis(5) }
}

fn runs() -> Vec<Run> {
    vec![
        run(Mode::Serial, vec![block(1, 40_000, 30_000, 9_000, 0), block(2, 44_000, 34_000, 9_000, 0)]),
        run(Mode::Parallel, vec![block(1, 16_000, 15_000, 9_000, 9_000), block(2, 18_000, 17_000, 10_000, 9_000)]),
        run(Mode::Serial, vec![block(1, 42_000, 32_000, 9_000, 0), block(2, 42_000, 32_000, 9_000, 0)]),
        run(Mode::Parallel, vec![block(1, 16_000, 15_000, 9_000, 9_000), block(2, 16_000, 15_000, 9_000, 9_000)]),
    ]
}

fn report(runs: &[Run]) -> Report {
    let settings = Settings { warmup: 1, repeat: 2, workers: 2 };
    Report::of("fixtures/small".to_owned(), settings, runs, 64 << 20)
}

#[test]
fn the_summary_reads_like_this() {
    let expected = "\
chain       fixtures/small
            2 blocks (1 to 2), 400 transactions, 120.0 Mgas, head 0x0000000000000000…
            2 workers, 1 warm-up and 2 measured runs of each mode

serial       1428.6 Mgas/s ± 0.0 %
  ms a block       mean       p50       p90       p99
  block          42.000    42.000    44.000    44.000
  decode          0.100     0.100     0.100     0.100
  senders         0.000     0.000     0.000     0.000
  prefetch        0.000     0.000     0.000     0.000
  execute        32.000    32.000    34.000    34.000
  merkleize       9.000     9.000     9.000     9.000
  verdicts        0.000     0.000     0.000     0.000
  stage           0.000     0.000     0.000     0.000
  (hand over)     0.050     0.050     0.050     0.050
  blocks run in parallel 0, inline 0, sequentially 2, again after a fault 0
  merkleization hidden 0.0 %
  a run 0.084 s ± 0.0 %, then 5.0 ms ± 0.0 % until all was on disk

parallel     3639.7 Mgas/s ± 38.5 %
  ms a block       mean       p50       p90       p99
  block          16.500    16.000    18.000    18.000
  decode          0.100     0.100     0.100     0.100
  senders         0.000     0.000     0.000     0.000
  prefetch        0.000     0.000     0.000     0.000
  execute        15.500    15.000    17.000    17.000
  merkleize       9.250     9.000    10.000    10.000
  verdicts        0.000     0.000     0.000     0.000
  stage           0.000     0.000     0.000     0.000
  (hand over)     0.050     0.050     0.050     0.050
  blocks run in parallel 2, inline 0, sequentially 0, again after a fault 0
  merkleization hidden 97.3 %
  a run 0.033 s ± 38.5 %, then 5.0 ms ± 0.0 % until all was on disk

parallel against serial
  execute   2.07x (95 % confidence 1.37 to 3.11)
  block     2.55x (95 % confidence 1.73 to 3.74)

peak memory 64.0 MiB
";
    let found = text::summary(&report(&runs()));
    assert_eq!(found, expected, "found:\n{found}");
}

#[test]
fn a_block_reads_like_this() {
    let expected = "block       12 0x00000000 parallel   3750.0 Mgas/s    16.000 ms   200 txs   60.00 Mgas | \
                    decode 0.100 senders 0.000 prefetch 0.000 execute 15.000 merkleize 9.000 verdicts 0.000 stage 0.000";
    assert_eq!(text::block_line(Mode::Parallel, &block(12, 16_000, 15_000, 9_000, 9_000)), expected);
}

#[test]
fn the_table_reads_like_this() {
    let mut found = Vec::new();
    csv::write(&mut found, &runs()[..3]).expect("a vector takes everything");
    let hash = |number| B256::with_last_byte(number);
    let expected = format!(
        "mode,repeat,number,hash,transactions,gas_used,total_us,decode_us,senders_us,prefetch_us,execute_us,\
         merkleize_us,verdicts_us,stage_us,merkleize_hidden_us,hand_over_us\n\
         serial,1,1,{one},200,60000000,40000,100,0,0,30000,9000,0,0,0,50\n\
         serial,1,2,{two},200,60000000,44000,100,0,0,34000,9000,0,0,0,50\n\
         parallel,1,1,{one},200,60000000,16000,100,0,0,15000,9000,0,0,9000,50\n\
         parallel,1,2,{two},200,60000000,18000,100,0,0,17000,10000,0,0,9000,50\n\
         serial,2,1,{one},200,60000000,42000,100,0,0,32000,9000,0,0,0,50\n\
         serial,2,2,{two},200,60000000,42000,100,0,0,32000,9000,0,0,0,50\n",
        one = hash(1),
        two = hash(2),
    );
    assert_eq!(String::from_utf8(found).expect("text"), expected);
}

#[test]
fn the_json_has_the_promised_keys() {
    let json = serde_json::to_value(report(&runs())).expect("a report is JSON");
    for mode in ["serial", "parallel"] {
        for key in ["/mgas_per_s", "/ms_per_block/mean", "/ms_per_block/p50", "/ms_per_block/p90", "/ms_per_block/p99"]
        {
            assert!(json[mode].pointer(key).is_some_and(serde_json::Value::is_number), "{mode}{key}");
        }
        for stage in Stage::ALL {
            assert!(json[mode]["stages_ms"][stage.name()]["mean"].is_number(), "{mode} {}", stage.name());
        }
    }
    for key in ["execute_speedup", "block_speedup", "merkleize_hidden_share", "peak_rss_bytes"] {
        assert!(json[key].is_number(), "{key}");
    }
}

#[test]
fn one_mode_alone_has_no_speedup() {
    let serial: Vec<Run> = runs().into_iter().filter(|run| run.mode == Mode::Serial).collect();
    let report = report(&serial);
    assert_eq!((report.block_speedup, report.parallel.is_some()), (None, false));
    assert!(!text::summary(&report).contains("against"));
}
