//! The most memory that the process has held.

/// The most memory this process has held so far, in bytes; `None` where the system does not tell.
pub fn peak_bytes() -> Option<u64> {
    peak_of(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// Lets [`peak_bytes`] count from now on, so that each of several runs in one process has a peak of its own; whether
/// the system allows it.
///
/// # Source
/// `clear_refs` in proc(5), value 5.
pub fn reset_peak() -> bool {
    std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

fn peak_of(status: &str) -> Option<u64> {
    bytes_after("VmHWM:", status)
}

/// The amount behind a name in one of proc(5)'s texts, which are in kibibytes.
pub(crate) fn bytes_after(name: &str, text: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_memory_is_read_from_the_status() {
        assert_eq!(peak_of("Name:\tx\nVmHWM:\t  1536 kB\nVmRSS:\t 12 kB\n"), Some(1_572_864));
        assert_eq!(peak_of("Name:\tx\n"), None);
        if cfg!(target_os = "linux") {
            assert!(peak_bytes().unwrap() > 100_000);
        }
    }

    #[test]
    fn a_peak_can_be_forgotten() {
        if !reset_peak() {
            return;
        }
        let before = peak_bytes().unwrap();
        drop(std::hint::black_box(vec![1u8; 64 << 20]));
        assert!(peak_bytes().unwrap() > before + (32 << 20));
        assert!(reset_peak());
        assert!(peak_bytes().unwrap() < before + (32 << 20));
    }
}
