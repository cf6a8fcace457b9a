//! Execution for those who ask: calls, estimates, access lists, simulated blocks and traces, on a state that stays as it
//! is. Nothing here takes part in a verdict.
