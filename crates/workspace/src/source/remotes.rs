//! The repository's remotes: their URLs without credentials, and which GitHub repository `origin` is.

use serde::{Deserialize, Serialize};

use crate::{Notice, secrets};

/// One remote as a session gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// Its name.
    pub name: String,
    /// Its URL, without credentials; GitHub's always as https, the one way out of a sandbox.
    pub url: String,
}

/// Reads the remotes from the repository's settings, with a notice for each credential found.
pub(super) fn read(settings: &[(String, String)]) -> (Vec<Remote>, Vec<Notice>) {
    let mut remotes: Vec<Remote> = Vec::new();
    let mut notices = Vec::new();
    for (key, value) in settings {
        if key.ends_with(".extraheader") && key.starts_with("http.") {
            notices.push(Notice::ConfigCredential { key: clean(key) });
        }
        let Some(name) = key
            .strip_prefix("remote.")
            .and_then(|rest| rest.strip_suffix(".url"))
        else {
            continue;
        };
        let (url, credential) = without_credentials(value);
        if credential {
            notices.push(Notice::RemoteCredential {
                remote: name.to_owned(),
            });
        }
        let known = remotes.iter().any(|remote| remote.name == name);
        if let (Some(url), false) = (url, known) {
            remotes.push(Remote {
                name: name.to_owned(),
                url,
            });
        }
    }
    (remotes, notices)
}

/// Returns owner and name of `origin` on GitHub.
pub(super) fn github(remotes: &[Remote]) -> Option<(String, String)> {
    let origin = remotes.iter().find(|remote| remote.name == "origin")?;
    on_github(&origin.url)
}

/// A key such as `http.https://token@host/.extraheader` may itself hold a credential.
fn clean(key: &str) -> String {
    match key.split_once("://") {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}://{host}"),
            None => key.to_owned(),
        },
        None => key.to_owned(),
    }
}

/// Returns the URL as the session may see it, none where its kind is unknown, and whether it held a credential.
fn without_credentials(url: &str) -> (Option<String>, bool) {
    if let Some((owner, name)) = on_github(url) {
        let held = url.split_once("://").is_some_and(|(scheme, rest)| {
            scheme.starts_with("http")
                && rest
                    .split('/')
                    .next()
                    .is_some_and(|host| host.contains('@'))
        });
        return (Some(format!("https://github.com/{owner}/{name}.git")), held);
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        let known = !url.contains("::") && !url.starts_with('-');
        return (known.then(|| url.to_owned()), false);
    };
    let (host, path) = rest
        .split_once('/')
        .map_or((rest, None), |(host, path)| (host, Some(path)));
    let (userinfo, host) = host
        .rsplit_once('@')
        .map_or((None, host), |(user, host)| (Some(user), host));
    let path = path.map(|path| path.split(['?', '#']).next().unwrap_or_default());
    let query = rest.contains(['?', '#']);
    let secret_path = path.is_some_and(secrets::suspicious_text);
    let plain = match path {
        Some(path) if !secret_path => format!("{scheme}://{host}/{path}"),
        _ => format!("{scheme}://{host}/"),
    };
    let held = match scheme {
        "ssh" | "git+ssh" => userinfo.is_some_and(|user| user.contains(':')),
        _ => userinfo.is_some(),
    };
    match scheme {
        "ssh" | "git+ssh" => {
            let user = userinfo
                .and_then(|user| user.split(':').next())
                .filter(|user| !user.is_empty());
            let plain = user.map_or(plain.clone(), |user| {
                plain.replacen("://", &format!("://{user}@"), 1)
            });
            (Some(plain), held || secret_path)
        }
        "https" | "http" | "git" | "file" => (Some(plain), held || query || secret_path),
        _ => (None, held),
    }
}

/// Recognises every spelling of a GitHub repository's URL that git takes.
fn on_github(url: &str) -> Option<(String, String)> {
    let path = match url.split_once("://") {
        Some((_, rest)) => {
            let (host, path) = rest.split_once('/')?;
            is_github(host).then_some(path)?
        }
        None => {
            let (host, path) = url.split_once(':')?;
            is_github(host).then_some(path)?
        }
    };
    let path = path.split(['?', '#']).next()?.trim_matches('/');
    let (owner, name) = path.split_once('/')?;
    let name = name.strip_suffix(".git").unwrap_or(name);
    let plain = |word: &str| {
        !word.is_empty()
            && !word.starts_with('.')
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    (plain(owner) && plain(name)).then(|| (owner.to_owned(), name.to_owned()))
}

fn is_github(host: &str) -> bool {
    let host = host
        .rsplit_once('@')
        .map_or(host, |(_, host)| host)
        .to_ascii_lowercase();
    let host = host.split_once(':').map_or(host.as_str(), |(host, _)| host);
    matches!(host, "github.com" | "www.github.com" | "ssh.github.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_github_in_every_spelling() {
        for url in [
            "https://github.com/o/n.git",
            "https://github.com/o/n",
            "https://x:tok@github.com/o/n/",
            "git@github.com:o/n.git",
            "github.com:o/n",
            "ssh://git@github.com/o/n.git",
            "ssh://git@ssh.github.com:443/o/n.git",
            "git://GitHub.com/o/n",
        ] {
            assert_eq!(on_github(url), Some(("o".into(), "n".into())), "{url}");
        }
        for url in [
            "https://github.com.evil.example/o/n",
            "https://evilgithub.com/o/n",
            "/srv/github.com/o/n",
            "https://github.com/o",
            "https://github.com/o/n/m",
            "https://github.com/../n",
            "https://evil.example/@github.com/o",
        ] {
            assert_eq!(on_github(url), None, "{url}");
        }
    }

    #[test]
    fn leaves_credentials_out_and_says_so() {
        let check = |url: &str, plain: Option<&str>, held: bool| {
            assert_eq!(
                without_credentials(url),
                (plain.map(str::to_owned), held),
                "{url}"
            );
        };
        check(
            "https://ghp_x@github.com/o/n",
            Some("https://github.com/o/n.git"),
            true,
        );
        check(
            "git@github.com:o/n.git",
            Some("https://github.com/o/n.git"),
            false,
        );
        check("https://u:p@host/r.git", Some("https://host/r.git"), true);
        check(
            "https://host/r.git?private_token=x",
            Some("https://host/r.git"),
            true,
        );
        check("ssh://git@host:22/r", Some("ssh://git@host:22/r"), false);
        check("ssh://git:pw@host/r", Some("ssh://git@host/r"), true);
        check("/srv/r.git", Some("/srv/r.git"), false);
        check("git@host:r.git", Some("git@host:r.git"), false);
        check("ext::sh -c x", None, false);
    }
}
