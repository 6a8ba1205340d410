//! `NODE_OPTIONS` that make a process leave its heap when it dies of its heap limit.

use std::collections::BTreeMap;

use crate::base::Bytes;

/// Where the volume for what a dying process leaves is mounted.
pub const DUMPS: &str = "/var/cutoff-dumps";

/// The smallest heap of a copy: below it an app of some size does not start.
const LEAST_COPY: u64 = 96;
const MOST_COPY: u64 = 512;

/// The options for a process that writes into `dir`: one snapshot near the heap limit and on SIGUSR2, a report on the
/// fatal error. With `heap_mib` the heap is made so small that its snapshot fits into the container. Accepted in
/// `NODE_OPTIONS` by all five majors.
pub fn dump_options(dir: &str, heap_mib: Option<u64>) -> String {
    // Quoted as Node reads it, should the path have a space. Reports on a fatal error ignore --diagnostic-dir (seen on
    // 20.20.2) and need a directory of their own.
    let dir = if dir.contains(' ') { format!("\"{dir}\"") } else { dir.to_owned() };
    let heap = heap_mib.map_or_else(String::new, |mib| format!(" --max-old-space-size={mib}"));
    format!(
        "--heapsnapshot-near-heap-limit=1 --heapsnapshot-signal=SIGUSR2 --report-on-fatalerror --report-uncaught-exception \
         --diagnostic-dir={dir} --report-directory={dir}{heap}"
    )
}

/// The largest `--max-old-space-size` in MiB whose snapshot at the heap limit fits into `limit`: the heap, five to six
/// times as much for the snapshot with a quarter to spare, and 100 MiB for Node itself. `None` when not even 32 MiB do.
pub fn fitting_heap_mib(limit: Bytes, major: u16) -> Option<u64> {
    let (usual, _) = super::cost::memory_factor(major, super::cost::Shape::Objects);
    let room = (limit.0 >> 20).saturating_sub(100);
    let heap = (room as f64 / (1.0 + usual * 1.25)) as u64;
    (heap >= 32).then_some(heap)
}

/// What a snapshot takes for one byte of a heap whose leak lies in a Map or a long array, the usual places: 17 to 20 were
/// measured on all five majors (`tests/matrix/costs.md`).
const OF_A_MAP: u64 = 20;

/// Heap (`--max-old-space-size` in MiB) and memory limit for a copy whose snapshot at the heap limit fits, also where a Map
/// holds the leak: the limit is ours to choose here. It is higher than `limit` where even a small heap needs that.
pub fn copy_size(limit: Bytes) -> (u64, Bytes) {
    let heap = ((limit.0 >> 20).saturating_sub(100) / (1 + OF_A_MAP)).clamp(LEAST_COPY, MOST_COPY);
    let needed = heap * (1 + OF_A_MAP) + 100;
    (heap, limit.max(Bytes::mib(needed.div_ceil(64) * 64)))
}

/// What the acts `arm` and `debug-copy` are told, so that Node in `container` leaves its heap in [`DUMPS`].
pub fn dump_args(container: &str, heap_mib: Option<u64>) -> BTreeMap<String, String> {
    let args = [
        ("container", container.to_owned()),
        ("variable", "NODE_OPTIONS".to_owned()),
        ("add", dump_options(DUMPS, heap_mib)),
        ("mount", DUMPS.to_owned()),
    ];
    args.map(|(name, value)| (name.to_owned(), value)).into()
}

/// Adds the sampling profile that Node writes at an orderly exit (and at no other) to what the acts are told. `None` where
/// Node would refuse to start: 18 does not take it in `NODE_OPTIONS` (measured on 18.20.8; 20 to 26 do).
pub fn with_heap_prof(mut args: BTreeMap<String, String>, major: u16) -> Option<BTreeMap<String, String>> {
    if major < 20 {
        return None;
    }
    args.get_mut("add")?.push_str(&format!(" --heap-prof --heap-prof-dir={DUMPS}"));
    Some(args)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Flags;

    #[test]
    fn what_is_written_is_what_the_parser_reads() {
        let flags = Flags::merged(Some(&dump_options("/my dumps", Some(200))), &[]);
        assert_eq!((flags.near_limit, flags.max_old_space_mib), (Some(1), Some(200)));
        assert!(flags.usr2_is_snapshot() && flags.report_on_fatal_error && flags.report_uncaught);
        assert_eq!((flags.diagnostic_dir.as_deref(), flags.report_dir.as_deref()), (Some("/my dumps"), Some("/my dumps")));
    }

    #[test]
    fn a_flag_that_node_would_not_start_with_is_left_out() {
        let args = with_heap_prof(dump_args("app", Some(96)), 20).expect("taken");
        assert!(args["add"].ends_with("--max-old-space-size=96 --heap-prof --heap-prof-dir=/var/cutoff-dumps"), "{}", args["add"]);
        assert_eq!(with_heap_prof(args, 18), None);
    }

    #[test]
    fn the_heap_leaves_room_for_its_snapshot() {
        assert_eq!(fitting_heap_mib(Bytes::mib(2048), 20), Some(222));
        assert_eq!(fitting_heap_mib(Bytes::mib(2048), 24), Some(268));
        assert_eq!(fitting_heap_mib(Bytes::mib(256), 20), None);
        assert_eq!(copy_size(Bytes::mib(8192)), (385, Bytes::mib(8192)));
        assert_eq!(copy_size(Bytes::mib(256)), (96, Bytes::mib(2176)), "a small container gets a larger copy");
        assert_eq!(copy_size(Bytes::mib(64 << 10)).0, 512, "no copy needs more");
    }
}
