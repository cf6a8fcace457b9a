//! ethrex-crypto and alloy's keccak-asm both carry CRYPTOGAMS' `KeccakF1600` under its own name. It is the same function
//! twice: the linker may take either.

fn main() {
    println!("cargo::rustc-link-arg-bins=-Wl,--allow-multiple-definition");
    println!("cargo::rerun-if-changed=build.rs");
}
