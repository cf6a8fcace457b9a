//! What this crate answers, held against official files, against the executor, and against callers who mean harm.

mod amsterdam;
mod execution_apis;
mod hostile;
mod support;
mod traces;
