//! Which service a request is for, by its host. Hosts that are not served get 421, as a strict origin would give.

use serde_json::json;

use crate::answer::Answer;
use crate::record::Recorded;
use crate::server::Stage;
use crate::{anthropic, github_api, openai, playground};

/// The hosts that are always served, beside the extra ones.
pub(crate) const HOSTS: [&str; 8] = [
    "api.anthropic.com",
    "api.github.com",
    "api.openai.com",
    "auth.openai.com",
    "chatgpt.com",
    "github.com",
    "localhost",
    "platform.claude.com",
];

#[derive(Debug, PartialEq)]
enum Service {
    Anthropic,
    OpenAi,
    GitHub,
    GitHubApi,
    Playground,
}

/// Answers a request on a stage.
pub(crate) async fn answer(request: &Recorded, stage: &Stage) -> Answer {
    if let Some(answer) = playground::asked_by_query(request) {
        return answer;
    }
    match service(request, &stage.extra_hosts) {
        Some(Service::Anthropic) => stage.tries.settle(anthropic::answer(request, &stage.lines)),
        Some(Service::OpenAi) => stage.tries.settle(openai::answer(request, &stage.lines)),
        Some(Service::GitHub) => stage.repositories.answer(request).await,
        Some(Service::GitHubApi) => github_api::answer(request),
        Some(Service::Playground) => playground::answer(request),
        None => Answer::json(
            421,
            &json!({ "error": format!("the rehearsal does not serve {}", request.host) }),
        ),
    }
}

fn service(request: &Recorded, extra: &[String]) -> Option<Service> {
    match request.host.as_str() {
        "api.anthropic.com" | "platform.claude.com" => Some(Service::Anthropic),
        "api.openai.com" | "auth.openai.com" | "chatgpt.com" => Some(Service::OpenAi),
        "github.com" => Some(Service::GitHub),
        "api.github.com" => Some(Service::GitHubApi),
        // Without a proxy in between everything has one name, and the path must tell.
        "localhost" | "127.0.0.1" | "[::1]" => Some(by_path(&request.path)),
        host if extra.iter().any(|name| name == host) => Some(Service::Playground),
        _ => None,
    }
}

fn by_path(path: &str) -> Service {
    const ANTHROPIC: [&str; 4] = ["/v1/messages", "/api/", "/mcp-registry/", "/v1/oauth/"];
    const OPENAI: [&str; 4] = ["/v1/responses", "/v1/models", "/backend-api/", "/oauth/"];
    if ANTHROPIC.iter().any(|prefix| path.starts_with(prefix)) {
        return Service::Anthropic;
    }
    if OPENAI.iter().any(|prefix| path.starts_with(prefix)) {
        return Service::OpenAi;
    }
    if path.contains("/info/refs") || path.ends_with("-pack") {
        return Service::GitHub;
    }
    Service::Playground
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::request;

    fn check(host: &str, path: &str, expected: Option<Service>) {
        let extra = ["extra.example".to_owned()];
        assert_eq!(
            service(&request("GET", host, path, &[], ""), &extra),
            expected,
            "{host} {path}"
        );
    }

    #[test]
    fn finds_the_service() {
        check("api.anthropic.com", "/anything", Some(Service::Anthropic));
        check("api.openai.com", "/v1/responses", Some(Service::OpenAi));
        check(
            "chatgpt.com",
            "/backend-api/codex/responses",
            Some(Service::OpenAi),
        );
        check("github.com", "/o/r.git/info/refs", Some(Service::GitHub));
        check("api.github.com", "/user", Some(Service::GitHubApi));
        check("extra.example", "/echo", Some(Service::Playground));
        check("other.example", "/echo", None);
        check("sub.extra.example", "/echo", None);
        check("localhost", "/v1/messages", Some(Service::Anthropic));
        check("localhost", "/v1/responses", Some(Service::OpenAi));
        check(
            "127.0.0.1",
            "/o/r.git/git-upload-pack",
            Some(Service::GitHub),
        );
        check("localhost", "/echo", Some(Service::Playground));
    }
}
