//! What a container uses, as its engine counts it.

use bollard::models::ContainerStatsResponse;
use bollard::query_parameters::StatsOptionsBuilder;
use futures_util::StreamExt as _;

use super::engine::Engine;
use crate::Usage;

/// Asks the engine once. What it does not answer is not known.
pub async fn of(engine: &Engine, container: &str) -> Usage {
    let options = StatsOptionsBuilder::new()
        .stream(false)
        .one_shot(true)
        .build();
    let mut answers = std::pin::pin!(engine.api.stats(container, Some(options)));
    match answers.next().await {
        Some(Ok(stats)) => read(stats),
        _ => Usage::default(),
    }
}

fn read(stats: ContainerStatsResponse) -> Usage {
    let memory = stats.memory_stats.unwrap_or_default();
    let detail = memory.stats.unwrap_or_default();
    // The names of control groups' versions 2 and 1.
    let cache = ["inactive_file", "total_inactive_file"]
        .iter()
        .find_map(|name| detail.get(*name))
        .copied()
        .unwrap_or(0);
    let cpu = stats.cpu_stats.unwrap_or_default().cpu_usage;
    Usage {
        memory_bytes: memory.usage.map(|usage| usage.saturating_sub(cache)),
        cpu_ms: cpu
            .and_then(|cpu| cpu.total_usage)
            .map(|nanoseconds| nanoseconds / 1_000_000),
        processes: stats.pids_stats.and_then(|pids| pids.current),
    }
}
