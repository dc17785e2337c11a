//! Which credentials there are and which an agent needs. Values are looked up to be tried, and dropped at once.

use clauderon_api::{CredentialRow, Error, ErrorCode};
use clauderon_session::Agent;
use clauderon_vault::{KNOWN, Vaults, known};

/// Lists every known credential with the place it would come from.
pub fn rows(vaults: &Vaults) -> Vec<CredentialRow> {
    vaults
        .sources()
        .into_iter()
        .map(|held| CredentialRow {
            variables: known(&held.name)
                .map_or(&[][..], |known| known.variables)
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
            name: held.name,
            source: held.source.map(|source| source.to_string()),
            problem: held.problem,
        })
        .collect()
}

/// Says where the agent's credential comes from, or what is missing and how to give it.
pub fn for_agent(vaults: &Vaults, agent: Agent) -> Result<String, Error> {
    let names = needed(agent);
    for name in names {
        match vaults.lookup(name) {
            Ok(Some((source, _))) => return Ok(format!("{name} from {source}")),
            Ok(None) => {}
            Err(problem) => {
                return Err(Error::new(
                    ErrorCode::CredentialMissing,
                    problem.to_string(),
                ));
            }
        }
    }
    Err(missing(agent, names[0]))
}

/// The credentials that serve an agent, the first that is there wins.
fn needed(agent: Agent) -> &'static [&'static str] {
    match agent {
        Agent::Claude => &["anthropic_oauth_token", "anthropic_api_key"],
        Agent::Codex => &["openai_api_key"],
    }
}

fn missing(agent: Agent, name: &str) -> Error {
    let variable = KNOWN
        .iter()
        .find(|known| known.name == name)
        .and_then(|known| known.variables.first())
        .unwrap_or(&"");
    let how = match agent {
        Agent::Claude => "sign in under Accounts or with `clauderon accounts sign-in`".to_owned(),
        Agent::Codex => {
            format!("paste an API key under Accounts or with `clauderon accounts set {name}`")
        }
    };
    Error::new(
        ErrorCode::CredentialMissing,
        format!("there is no credential for {}", agent.title()),
    )
    .hint(format!(
        "{how}, or set {variable} and run `clauderon daemon restart`"
    ))
}
