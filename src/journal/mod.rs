//! JSONL journal of one incident: append + fdatasync, torn line set aside, takeover, import.
