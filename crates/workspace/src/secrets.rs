//! Finds what looks like a secret by its name, and in small files by its content. Findings name files, never values.

use std::fs;
use std::path::Path;

use crate::Notice;

/// Whether a file's name says that it holds secrets.
pub(crate) fn suspicious_name(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or_default();
    let example = ["example", "sample", "template", "dist", "pub", "test"]
        .iter()
        .any(|word| name.ends_with(&format!(".{word}")));
    if example {
        return false;
    }
    name == ".env"
        || name.starts_with(".env.")
        || name.ends_with(".env") && name.len() > 4
        || matches!(
            name,
            ".netrc"
                | "_netrc"
                | ".git-credentials"
                | ".pypirc"
                | ".htpasswd"
                | ".dockercfg"
                | ".envrc.local"
                | "id_rsa"
                | "id_dsa"
                | "id_ecdsa"
                | "id_ed25519"
                | "credentials.json"
                | "kubeconfig"
                | "terraform.tfstate"
                | "secrets.yml"
                | "secrets.yaml"
                | "secrets.json"
                | "secrets.toml"
                | ".vault-token"
                | ".pgpass"
                | ".my.cnf"
                | "master.key"
        )
        || path.ends_with(".aws/credentials")
        || path.ends_with(".docker/config.json")
        || path.ends_with(".kube/config")
        || name.starts_with("service-account") && name.ends_with(".json")
        || [
            ".pem",
            ".key",
            ".p12",
            ".pfx",
            ".jks",
            ".keystore",
            ".ppk",
            ".kdbx",
        ]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// Whether a text holds something in the shape of a known credential.
pub(crate) fn suspicious_text(text: &str) -> bool {
    const MARKS: [&str; 14] = [
        "ghp_",
        "gho_",
        "ghs_",
        "github_pat_",
        "glpat-",
        "sk-ant-",
        "sk-proj-",
        "xoxb-",
        "xoxp-",
        "npm_",
        "dckr_pat_",
        "pypi-AgE",
        "_authToken=",
        "PRIVATE KEY-----",
    ];
    MARKS.iter().any(|mark| text.contains(mark)) || has_aws_key(text)
}

fn has_aws_key(text: &str) -> bool {
    text.match_indices("AKIA").any(|(at, _)| {
        let rest = text.as_bytes().get(at + 4..at + 20);
        rest.is_some_and(|rest| {
            rest.iter()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        })
    })
}

/// Names the untracked files beside the top and beside the asked-for folder that look like secrets. Deeper ones are
/// not searched: nothing untracked comes along unless it is listed, and what is listed is checked by itself.
pub(crate) fn beside(root: &Path, subdirectory: &Path, tracked: &[String]) -> Option<Notice> {
    let mut paths = Vec::new();
    let mut folders = vec![Path::new("")];
    if !subdirectory.as_os_str().is_empty() {
        folders.push(subdirectory);
    }
    for folder in folders {
        let Ok(entries) = fs::read_dir(root.join(folder)) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = folder
                .join(entry.file_name())
                .to_string_lossy()
                .into_owned();
            let file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if file && suspicious_name(&path) && !tracked.contains(&path) {
                paths.push(path);
            }
        }
    }
    paths.sort();
    (!paths.is_empty()).then_some(Notice::SecretsLeftOut { paths })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_names_of_secrets() {
        for path in [
            ".env",
            "a/.env.local",
            "prod.env",
            "x/id_rsa",
            "tls/server.key",
            ".aws/credentials",
        ] {
            assert!(suspicious_name(path), "{path}");
        }
        for path in [
            ".env.example",
            "env",
            "src/environment.rs",
            "id_rsa.pub",
            "keyboard.rs",
            ".envrc",
        ] {
            assert!(!suspicious_name(path), "{path}");
        }
    }

    #[test]
    fn knows_shapes_of_credentials() {
        for text in [
            "token: ghp_abc",
            "AKIAABCDEFGHIJKLMNOP",
            "-----BEGIN RSA PRIVATE KEY-----",
        ] {
            assert!(suspicious_text(text), "{text}");
        }
        assert!(!suspicious_text("AKIA is a prefix; a key is private"));
    }
}
