//! What memory the machine has for this process.

use std::fs;

/// Bytes that this process could have: what it holds and what the system could still give, within the limit of its
/// control group. Nothing where the system doesn't tell.
///
/// # Source
/// `MemAvailable` in proc(5); `memory.max` and `memory.stat` of Linux's `cgroup-v2.rst`, `memory.limit_in_bytes` of v1.
pub(crate) fn available_bytes() -> Option<u64> {
    let read = |path: &str| fs::read_to_string(path).ok();
    let free = kibibytes(&read("/proc/meminfo")?, "MemAvailable:")?;
    let held = kibibytes(&read("/proc/self/status")?, "VmRSS:")?;
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limit = limits.iter().find_map(|path| read(path)?.trim().parse::<u64>().ok());
    Some(limit.map_or(free + held, |limit| limit.min(free + held)))
}

/// Bytes that this process holds that are no part of a file.
pub(crate) fn held_bytes() -> Option<u64> {
    kibibytes(&fs::read_to_string("/proc/self/status").ok()?, "RssAnon:")
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_by_their_names() {
        let text = "MemTotal:  100 kB\nMemAvailable:   64 kB\n";
        assert_eq!(kibibytes(text, "MemAvailable:"), Some(65_536));
        assert_eq!(kibibytes(text, "SwapFree:"), None);
        if cfg!(target_os = "linux") {
            let (available, held) = (available_bytes().unwrap(), held_bytes().unwrap());
            assert!(held > 100_000 && available > held, "{available} {held}");
        }
    }
}
