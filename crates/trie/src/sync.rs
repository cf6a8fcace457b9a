//! What threads share, by the standard library; with the feature `loom` by its checker, which runs every order in which
//! threads may meet, and lets relaxed loads see old values wherever nothing orders them. Only `loom_tests` use that.

#[cfg(feature = "loom")]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU16, AtomicU32, AtomicU64},
};
#[cfg(feature = "loom")]
pub(crate) use once::OnceLock;
#[cfg(not(feature = "loom"))]
pub(crate) use std::sync::{
    Mutex, MutexGuard, OnceLock,
    atomic::{AtomicU16, AtomicU32, AtomicU64},
};

#[cfg(feature = "loom")]
mod once {
    use loom::sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    };

    /// The checker has none of its own: the value is handed over by a flag that the checker watches.
    #[derive(Debug)]
    pub(crate) struct OnceLock<T> {
        value: std::sync::OnceLock<T>,
        is_set: AtomicBool,
        making: Mutex<()>,
    }

    impl<T> Default for OnceLock<T> {
        fn default() -> Self {
            Self::new()
        }
    }

    impl<T> OnceLock<T> {
        pub(crate) fn new() -> Self {
            Self { value: std::sync::OnceLock::new(), is_set: AtomicBool::new(false), making: Mutex::new(()) }
        }

        pub(crate) fn get(&self) -> Option<&T> {
            self.is_set.load(Ordering::Acquire).then(|| self.value.get()).flatten()
        }

        pub(crate) fn set(&self, value: T) -> Result<(), T> {
            let _making = self.making.lock();
            let result = self.value.set(value);
            self.is_set.store(true, Ordering::Release);
            result
        }

        pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
            let making = self.making.lock();
            let value = self.value.get_or_init(make);
            self.is_set.store(true, Ordering::Release);
            drop(making);
            value
        }
    }
}
