//! A session to test with.

use clauderon_api::{Session, Standing};
use serde_json::json;

/// A running session called `id`. Read from the wire's own form: what is new there does not concern these tests.
pub fn session(id: &str) -> Session {
    let session = json!({
        "id": id, "name": id, "agent": "claude", "backend": "bubblewrap", "mode": "interactive",
        "image": null, "model": null, "repository": "/src/app", "branch": format!("clauderon/{id}"),
        "base": "", "state": "running", "status": {"status": "unknown", "since_ms": 0}, "standing": Standing::Idle,
        "notify": true, "posture": "balanced", "created_ms": 1, "last_activity_ms": null,
    });
    serde_json::from_value(session).expect("the fixture is a session")
}
