//! The pause of all sessions' network. It outlasts the daemon: whoever paused expects it to stay.

use clauderon_api::{Error, Network};

use crate::failure;
use crate::sessions::{Sessions, Shared};

/// Takes up what an earlier daemon was told.
pub fn take_up(shared: &Shared) {
    match shared.store.network_paused() {
        Ok(paused) => shared.gate.pause(paused),
        Err(error) => {
            // Nothing leaves until a person has said so.
            tracing::error!(%error, "whether the network is paused cannot be read; it is");
            shared.gate.pause(true);
        }
    }
}

/// Pauses, or lets go on, from the next request of every session.
pub fn set(sessions: &Sessions, network: Network) -> Result<Network, Error> {
    let shared = sessions.shared();
    let paused = network.paused;
    // A pause holds even where it cannot be written down; its end does not begin there.
    if paused {
        shared.gate.pause(true);
        shared.events.network(true);
    }
    shared
        .store
        .set_network_paused(paused)
        .map_err(failure::store)?;
    shared.gate.pause(paused);
    if !paused {
        shared.events.network(false);
    }
    tracing::info!(paused, "network");
    Ok(network)
}

/// Says whether it is paused.
pub fn now(sessions: &Sessions) -> Network {
    Network {
        paused: sessions.shared().gate.is_paused(),
    }
}
