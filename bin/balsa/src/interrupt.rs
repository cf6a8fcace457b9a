//! ^C: the running command ends at its next block, with everything on disk; a second one ends the process at once.

use signal_hook::{consts::TERM_SIGNALS, flag, iterator::Signals};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Whether the user has asked the program to end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for SIGINT, SIGTERM and SIGQUIT.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn listen() -> io::Result<Self> {
        let asked = Self::default();
        for signal in TERM_SIGNALS {
            // In this order: the second signal finds the flag set by the first.
            flag::register_conditional_shutdown(*signal, 130, asked.0.clone())?;
            flag::register(*signal, asked.0.clone())?;
        }
        Ok(asked)
    }

    /// Waits until the user asks the program to end.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn wait(&self) -> io::Result<()> {
        let mut signals = Signals::new(TERM_SIGNALS)?;
        // One that came before there was anyone to wait has set the flag.
        if !self.is_asked() {
            signals.forever().next();
        }
        Ok(())
    }

    /// Whether to end now.
    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
