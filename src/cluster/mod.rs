//! Kubernetes and nothing else: connect, auth, access, watch, logs, exec, port-forward, changes, acts.
