//! What memory the machine has for this process.

use std::fs;

use crate::folder::peak_memory::bytes_after;

/// Bytes that this process could have: what it holds and what the system could still give, within the limit of its
/// control group. Nothing where the system doesn't tell.
///
/// # Source
/// `MemAvailable` in proc(5); `memory.max` and `memory.stat` of Linux's `cgroup-v2.rst`, `memory.limit_in_bytes` of v1.
pub(crate) fn available_bytes() -> Option<u64> {
    let read = |path: &str| fs::read_to_string(path).ok();
    let free = bytes_after("MemAvailable:", &read("/proc/meminfo")?)?;
    let held = bytes_after("VmRSS:", &read("/proc/self/status")?)?;
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limit = limits.iter().find_map(|path| read(path)?.trim().parse::<u64>().ok());
    Some(limit.map_or(free + held, |limit| limit.min(free + held)))
}

/// Bytes that this process holds that are no part of a file.
pub(crate) fn held_bytes() -> Option<u64> {
    bytes_after("RssAnon:", &fs::read_to_string("/proc/self/status").ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_by_their_names() {
        let text = "MemTotal:  100 kB\nMemAvailable:   64 kB\n";
        assert_eq!(bytes_after("MemAvailable:", text), Some(65_536));
        assert_eq!(bytes_after("SwapFree:", text), None);
        if cfg!(target_os = "linux") {
            let (available, held) = (available_bytes().unwrap(), held_bytes().unwrap());
            assert!(held > 100_000 && available > held, "{available} {held}");
        }
    }
}
