//! The instruction sets, and how many lanes to use for how many inputs.
#![cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "calls of functions that need an instruction set"))]

use crate::{RATE, batch, keccak256};
#[cfg(target_arch = "x86_64")]
use crate::{avx2, avx512};
use alloy_primitives::B256;

/// An instruction set that this processor has, to hash many inputs with.
///
/// The functions of the crate use [`Backend::detected`]; tests and benches go through [`Backend::available`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backend(Kind);

/// Private, so that a [`Backend`] proves that its instructions are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Backend {
    /// The names of all back ends there are, slowest first, whether or not this processor has them.
    pub const NAMES: [&str; 3] = ["scalar", "avx2", "avx512"];

    /// The fastest back end of this processor.
    #[inline]
    pub fn detected() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            // The standard library asks the processor once; this is a load and a test.
            if has_avx512() {
                return Self(Kind::Avx512);
            }
            if is_x86_feature_detected!("avx2") {
                return Self(Kind::Avx2);
            }
        }
        Self(Kind::Scalar)
    }

    /// All back ends of this processor, slowest first.
    pub fn available() -> Vec<Self> {
        Self::NAMES.into_iter().filter_map(Self::named).collect()
    }

    /// The back end of that name, unless the name is unknown or the processor lacks it.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "scalar" => Some(Self(Kind::Scalar)),
            #[cfg(target_arch = "x86_64")]
            "avx2" if is_x86_feature_detected!("avx2") => Some(Self(Kind::Avx2)),
            #[cfg(target_arch = "x86_64")]
            "avx512" if has_avx512() => Some(Self(Kind::Avx512)),
            _ => None,
        }
    }

    /// One of [`Backend::NAMES`].
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }

    /// [`keccak256_fixed`](crate::keccak256_fixed) with this back end.
    ///
    /// # Panics
    /// If the two slices differ in length.
    pub fn keccak256_fixed<const N: usize>(self, inputs: &[[u8; N]], hashes: &mut [B256]) {
        const { assert!(N < RATE, "one block") };
        self.hash_short(inputs, hashes);
    }

    /// [`keccak256_short`](crate::keccak256_short) with this back end.
    ///
    /// # Panics
    /// If the two slices differ in length, or an input is too long.
    pub fn keccak256_short(self, inputs: &[&[u8]], hashes: &mut [B256]) {
        assert!(inputs.iter().all(|input| input.len() < RATE), "one block for each input");
        self.hash_short(inputs, hashes);
    }

    /// Hashes each of `inputs`, of one block each, into the same place of `hashes`.
    fn hash_short<T: AsRef<[u8]> + Copy>(self, inputs: &[T], hashes: &mut [B256]) {
        assert_eq!(inputs.len(), hashes.len(), "one place for each hash");
        match self.0 {
            Kind::Scalar => {
                for (input, hash) in inputs.iter().zip(hashes) {
                    *hash = keccak256(input.as_ref());
                }
            }
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this kind is made only where AVX2 was found.
            Kind::Avx2 => unsafe { avx2::hash_short(inputs, hashes) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this kind is made only where these parts of AVX-512 were found.
            Kind::Avx512 => unsafe { avx512::hash_short(inputs, hashes) },
        }
    }

    /// [`keccak256_many`](crate::keccak256_many) with this back end.
    ///
    /// # Panics
    /// If the two slices differ in length.
    pub fn keccak256_many<T: AsRef<[u8]>>(self, inputs: &[T], hashes: &mut [B256]) {
        assert_eq!(inputs.len(), hashes.len(), "one place for each hash");
        batch::in_windows(inputs, hashes, |inputs, order, hashes| self.hash_in_order(inputs, order, hashes));
    }

    /// Hashes `inputs[i]` into `hashes[i]` for every `i` of `order`, taking neighbours in `order` side by side.
    fn hash_in_order(self, inputs: &[&[u8]], order: &[u8], hashes: &mut [B256]) {
        match self.0 {
            Kind::Scalar => {
                for &i in order {
                    hashes[i as usize] = keccak256(inputs[i as usize]);
                }
            }
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this kind is made only where AVX2 was found.
            Kind::Avx2 => unsafe { avx2::hash_in_order(inputs, order, hashes) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this kind is made only where these parts of AVX-512 were found.
            Kind::Avx512 => unsafe { avx512::hash_in_order(inputs, order, hashes) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512bw")
}
