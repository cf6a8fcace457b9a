//! `import-bench`: what is measured, how it is summed up, how it is shown.

pub(crate) mod csv;
pub(crate) mod measure;
pub(crate) mod memory;
pub(crate) mod report;
pub(crate) mod sample;
pub(crate) mod stage_recorder;
pub(crate) mod statistics;
pub(crate) mod subject;
pub(crate) mod text;

#[cfg(test)]
mod golden;
