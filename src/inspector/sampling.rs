//! The sampling heap profiler: which lines allocated what is still alive, in 60 KB and 0.1 s, without a spike of memory.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::Bytes;

use super::error::Error;
use super::session::{CALL, Session};
use super::wire::Lane;

/// One allocating function of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocator {
    /// Function name; may be empty.
    pub function: String,
    /// Script.
    pub url: String,
    /// Line, from 1.
    pub line: u64,
    /// Bytes alive that it allocated itself.
    pub bytes: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    call_frame: CallFrame,
    self_size: f64,
    #[serde(default)]
    children: Vec<Node>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CallFrame {
    function_name: String,
    url: String,
    line_number: i64,
}

impl Session {
    /// Starts sampling every `interval` bytes (32 KiB costs nothing measurable). Only objects allocated from now on are
    /// counted.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn start_sampling(&mut self, interval: Bytes) -> Result<(), Error> {
        let params = json!({ "samplingInterval": interval.0 });
        self.call(&Lane::Main, "HeapProfiler.startSampling", params, CALL).await.map(drop)
    }

    /// The profile so far, as the text of a `.heapprofile`; sampling goes on. Keep the last one: a process that dies
    /// takes its profile with it.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn sampling_profile(&mut self) -> Result<String, Error> {
        let answer = self.call(&Lane::Main, "HeapProfiler.getSamplingProfile", json!({}), CALL * 3).await?;
        let profile = answer.get("profile").ok_or_else(|| Error::Unreadable("getSamplingProfile".to_owned()))?;
        Ok(profile.to_string())
    }

    /// Ends sampling and gives the last profile.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn stop_sampling(&mut self) -> Result<String, Error> {
        let answer = self.call(&Lane::Main, "HeapProfiler.stopSampling", json!({}), CALL * 3).await?;
        let profile = answer.get("profile").ok_or_else(|| Error::Unreadable("stopSampling".to_owned()))?;
        Ok(profile.to_string())
    }
}

/// The functions of a profile that hold most, largest first.
pub fn allocators(profile: &str, most: usize) -> Option<Vec<Allocator>> {
    let value: Value = serde_json::from_str(profile).ok()?;
    let head: Node = serde_json::from_value(value.get("head")?.clone()).ok()?;
    let mut all: Vec<Allocator> = Vec::new();
    let mut open = vec![head];
    while let Some(node) = open.pop() {
        let frame = node.call_frame;
        let bytes = Bytes(node.self_size.max(0.0) as u64);
        let line = u64::try_from(frame.line_number + 1).unwrap_or(0);
        if bytes.0 > 0 {
            match all.iter_mut().find(|a| a.line == line && a.function == frame.function_name && a.url == frame.url) {
                Some(same) => same.bytes.0 += bytes.0,
                None => all.push(Allocator { function: frame.function_name, url: frame.url, line, bytes }),
            }
        }
        open.extend(node.children);
    }
    all.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| (&a.url, a.line).cmp(&(&b.url, b.line))));
    all.truncate(most);
    Some(all)
}
