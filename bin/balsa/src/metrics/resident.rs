//! How much memory the system says that the program has.

use std::fs;

/// Bytes of memory that the program has right now; `None` where the system does not say.
pub(crate) fn resident_bytes() -> Option<u64> {
    parse(&fs::read_to_string("/proc/self/status").ok()?)
}

fn parse(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_found() {
        assert_eq!(parse("Name:\tbalsa\nVmRSS:\t    1024 kB\nVmData:\t 5 kB\n"), Some(1 << 20));
        assert_eq!(parse("Name:\tbalsa\n"), None);
        assert!(resident_bytes().is_none_or(|bytes| bytes > 1 << 20));
    }
}
