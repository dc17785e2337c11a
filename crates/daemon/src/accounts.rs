//! Credentials as a person manages them: where each comes from, kept, removed. A value goes in and never comes out.

mod judge;
mod seen;
mod sign_in;

use std::path::Path;
use std::sync::Arc;

use clauderon_api::{
    Account, AccountCheck, AccountsView, Error, ErrorCode, Keychain as Shown, Place, SaveAccount,
    SignIn,
};
use clauderon_policy::{Check, Routes};
use clauderon_proxy::Proxy;
use clauderon_vault::{
    Files, Holding, KNOWN, Keychain, KeychainError, KeychainState, Secret, Source, Vault as _,
    VaultError, Vaults, known, mistaken,
};
use tokio::sync::watch;

use crate::clock::now_ms;
use judge::Verdict;
use seen::Fact;
pub use seen::Seen;

/// The accounts of one installation.
pub struct Accounts {
    places: Arc<Places>,
    proxy: Proxy,
}

/// What accounts are made of.
pub struct Parts {
    /// Everything that holds credentials, as the proxy sees it.
    pub vaults: Arc<Vaults>,
    /// Two of these places: those that this product writes to.
    pub keychain: Arc<Keychain>,
    pub files: Files,
    /// The routes in force, which may name more credentials.
    pub routes: watch::Receiver<Arc<Routes>>,
    /// What was found out about values.
    pub seen: Seen,
    /// The way to the services.
    pub proxy: Proxy,
}

/// Everything that holds credentials. Its calls may block.
struct Places {
    vaults: Arc<Vaults>,
    keychain: Arc<Keychain>,
    files: Files,
    routes: watch::Receiver<Arc<Routes>>,
    seen: Seen,
}

impl Accounts {
    /// Makes them of their parts.
    pub fn new(parts: Parts) -> Self {
        Self {
            places: Arc::new(Places {
                vaults: parts.vaults,
                keychain: parts.keychain,
                files: parts.files,
                routes: parts.routes,
                seen: parts.seen,
            }),
            proxy: parts.proxy,
        }
    }

    /// Lists all of them, with the keychain's state.
    pub async fn list(&self) -> Result<AccountsView, Error> {
        self.blocking(|places| {
            let state = places.keychain.state();
            Ok(AccountsView {
                accounts: places
                    .names()
                    .iter()
                    .map(|name| places.account(name, &state))
                    .collect(),
                keychain: shown(state),
            })
        })
        .await
    }

    /// Keeps a value where the person chose, and nowhere else.
    pub async fn save(&self, name: &str, mut save: SaveAccount) -> Result<Account, Error> {
        let secret = secret(name, std::mem::take(&mut save.value))?;
        let (name, place) = (name.to_owned(), save.place);
        let account = self
            .blocking(move |places| {
                places.named(&name)?;
                match place {
                    Place::Keychain => places.keep_in_keychain(&name, secret)?,
                    Place::File => places.keep_in_file(&name, &secret)?,
                }
                tracing::info!(credential = name, ?place, "a credential was kept");
                Ok(places.account(&name, &places.keychain.state()))
            })
            .await?;
        Ok(account)
    }

    /// Removes what this installation keeps of a value.
    pub async fn remove(&self, name: &str) -> Result<Account, Error> {
        let name = name.to_owned();
        self.blocking(move |places| {
            places.named(&name)?;
            places.remove(&name)?;
            tracing::info!(credential = name, "a credential was removed");
            Ok(places.account(&name, &places.keychain.state()))
        })
        .await
    }

    /// Asks the service whether the value in use works, and notes what it says.
    pub async fn check(&self, name: &str) -> Result<AccountCheck, Error> {
        let wanted = name.to_owned();
        let secret = self
            .blocking(move |places| {
                places.named(&wanted)?;
                places.in_use(&wanted)
            })
            .await?;
        let Some(check) = Check::of(name) else {
            return Err(Error::usage(format!(
                "{name} is only used by a route of your own, so there is nothing to ask."
            )));
        };
        let told = self.proxy.ask(check, &secret).await;
        tracing::info!(credential = name, host = %check.target.host, status = told.as_ref().map(|told| told.status).ok(), "a credential was tried out");
        let told = told.map_err(|error| {
            Error::failed(format!("{} could not be asked: {error}.", check.service)).hint(
                "Is this machine online? proxy.toml's [upstream] holds for this question too.",
            )
        })?;
        let verdict = judge::verdict(check, &told, now_ms());
        let (name, found) = (name.to_owned(), verdict.check.clone());
        self.blocking(move |places| {
            let Verdict { check, expires_ms } = verdict;
            places.seen.note(&name, &secret, Some(check), expires_ms);
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// Signs in with the agent that is installed below `home`, and puts the result into the keychain.
    pub async fn sign_in(&self, home: &Path, name: &str) -> Result<SignIn, Error> {
        sign_in::begin(Arc::clone(&self.places), home, name).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Places) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let places = Arc::clone(&self.places);
        tokio::task::spawn_blocking(move || work(&places))
            .await
            .map_err(|_| Error::failed("The credentials could not be looked at."))?
    }
}

/// Takes a value in and says what is wrong with it, never with its bytes.
fn secret(name: &str, value: String) -> Result<Secret, Error> {
    let value = zeroize::Zeroizing::new(value);
    let secret = Secret::new(value.trim().to_owned())
        .map_err(|reason| Error::usage(format!("The value cannot be used: {reason}.")))?;
    match mistaken(name, &secret) {
        Some(sentence) => Err(Error::usage(sentence)),
        None => Ok(secret),
    }
}

impl Places {
    /// The credentials that the product knows, then those that only the person's own routes name.
    fn names(&self) -> Vec<String> {
        let routes = self.routes.borrow().clone();
        let own = routes.credentials().filter(|name| known(name).is_none());
        let mut names: Vec<String> = KNOWN.iter().map(|known| known.name.to_owned()).collect();
        for name in own {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    fn named(&self, name: &str) -> Result<(), Error> {
        let names = self.names();
        if names.iter().any(|known| known == name) {
            return Ok(());
        }
        Err(Error::not_found(format!("There is no account {name:?}."))
            .hint(format!("There are {}.", names.join(", "))))
    }

    fn account(&self, name: &str, keychain: &KeychainState) -> Account {
        let holdings = self.vaults.holdings(name);
        let (used, shadowed) = match holdings.split_first() {
            Some((used, shadowed)) => (Some(used), shadowed),
            None => (None, &[][..]),
        };
        let known = known(name);
        let fact = match used.map(|used| &used.value) {
            Some(Ok(secret)) => self.seen.of(name, secret),
            _ => Fact::default(),
        };
        let ending = fact.expires_ms.and_then(|at| judge::ending(at, now_ms()));
        Account {
            name: name.to_owned(),
            label: known.map_or(name, |known| known.label).to_owned(),
            purpose: known
                .map_or("Used by a route of your own in proxy.toml.", |known| {
                    known.purpose
                })
                .to_owned(),
            source: used.map(|used| used.place.clone()),
            shadowed: shadowed.iter().map(|held| held.place.clone()).collect(),
            editable: used.is_some_and(is_ours),
            sign_in: name == sign_in::SIGNS_IN,
            expires_ms: fact.expires_ms,
            problem: problem(used, shadowed, keychain).or(ending),
            checked: fact.check,
        }
    }

    /// Gives the value in use.
    fn in_use(&self, name: &str) -> Result<Secret, Error> {
        match self.vaults.lookup(name) {
            Ok(Some((_, secret))) => Ok(secret),
            Ok(None) => Err(Error::new(
                ErrorCode::CredentialMissing,
                format!("There is no value for {name} yet."),
            )),
            Err(error) => Err(Error::new(
                ErrorCode::CredentialMissing,
                sentence(&error.to_string()),
            )),
        }
    }

    fn keep_in_keychain(&self, name: &str, secret: Secret) -> Result<(), Error> {
        self.keychain.save(name, secret).map_err(not_kept)?;
        // A copy in a file would be what the person no longer wants: a secret that lies open on the disk.
        self.files.remove(name).map_err(|error| in_file(&error))
    }

    fn keep_in_file(&self, name: &str, secret: &Secret) -> Result<(), Error> {
        // The keychain comes first, so that a value there would be used instead of the file's.
        if !matches!(self.keychain.lookup(name), Ok(None)) {
            self.keychain.remove(name).map_err(still_in_keychain)?;
        }
        self.files
            .save(name, secret)
            .map_err(|error| in_file(&error))
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        let holdings = self.vaults.holdings(name);
        if !holdings.iter().any(is_ours) {
            return Err(match holdings.first() {
                Some(held) => Error::conflict(format!(
                    "The value comes from the {}, which only you can change.",
                    held.place
                ))
                .hint("Unset it where your shell sets it, then run `clauderon daemon restart`."),
                None => Error::not_found("There is no value to remove."),
            });
        }
        if holdings.iter().any(|held| held.source == Source::Keychain) {
            self.keychain.remove(name).map_err(still_in_keychain)?;
        }
        self.files.remove(name).map_err(|error| in_file(&error))?;
        self.seen.forget(name);
        Ok(())
    }
}

fn is_ours(held: &Holding) -> bool {
    matches!(held.source, Source::Keychain | Source::File)
}

/// Says what is wrong with the value in use, or worth knowing about it.
fn problem(
    used: Option<&Holding>,
    shadowed: &[Holding],
    keychain: &KeychainState,
) -> Option<String> {
    let used = used?;
    if let Err(error) = &used.value {
        return Some(sentence(&error.to_string()));
    }
    if used.source == Source::Keychain && !matches!(keychain, KeychainState::Open(_)) {
        return Some(
            "The keychain is locked or gone; the value that was read before is still used."
                .to_owned(),
        );
    }
    let unused = shadowed.iter().find(|held| is_ours(held))?;
    Some(format!(
        "The {} comes first, so the value in the {} is not used.",
        used.place, unused.place
    ))
}

fn shown(state: KeychainState) -> Shown {
    match state {
        KeychainState::Open(name) => Shown::Open { name },
        KeychainState::Locked(hint) => Shown::Locked { hint },
        KeychainState::Absent(hint) => Shown::Absent { hint },
    }
}

fn not_kept(error: KeychainError) -> Error {
    match error {
        KeychainError::Locked(hint) => {
            Error::conflict("The keychain is locked, so nothing was kept.").hint(hint)
        }
        KeychainError::Absent(hint) => {
            Error::conflict("There is no keychain, so nothing was kept.").hint(hint)
        }
        KeychainError::Silent => Error::failed("The keychain did not answer in time.")
            .hint("It may be asking for its password in a window of its own; look again once it is unlocked."),
        KeychainError::Failed(reason) => {
            Error::failed(format!("The keychain did not keep the value: {reason}."))
        }
    }
}

fn still_in_keychain(error: KeychainError) -> Error {
    let hint = match &error {
        KeychainError::Locked(hint) | KeychainError::Absent(hint) => hint.clone(),
        KeychainError::Silent | KeychainError::Failed(_) => {
            "Look again once the keychain answers.".to_owned()
        }
    };
    Error::new(
        ErrorCode::Conflict,
        format!("The keychain holds a value, which could not be removed: {error}."),
    )
    .hint(hint)
}

fn in_file(error: &VaultError) -> Error {
    Error::failed(sentence(&error.to_string()))
}

/// Makes a sentence of an error's words.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}
