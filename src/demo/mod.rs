//! A small world outside, reached by wire only: API server, kubelet, scenarios, the leaking service.
