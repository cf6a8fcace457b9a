//! How much memory the process has held.

use std::{fs, io};

/// The most resident memory that this process has held so far, in bytes (Linux: `VmHWM`).
///
/// # Errors
/// The kernel does not tell.
pub(crate) fn peak_rss_bytes() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    parse(&status).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/self/status has no VmHWM in kB"))
}

fn parse(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read() {
        assert_eq!(parse("Name:\tx\nVmHWM:\t    1234 kB\nVmRSS:\t 1 kB\n"), Some(1_234 * 1_024));
        assert_eq!(parse("Name:\tx\n"), None);
        assert_eq!(parse("VmHWM:\t many kB\n"), None);
        assert!(peak_rss_bytes().is_ok_and(|bytes| bytes > 1 << 20));
    }
}
