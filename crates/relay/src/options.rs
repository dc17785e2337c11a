//! Where the relay finds things: fixed places in a sandbox, flags for tests and for the holder.

use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::path::PathBuf;

use crate::Refusal;

pub struct Options {
    pub launch: PathBuf,
    pub egress: PathBuf,
    pub listen: SocketAddr,
    pub control: Option<RawFd>,
}

impl Options {
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, Refusal> {
        let mut options = Self {
            launch: "/clauderon/run/launch.json".into(),
            egress: "/clauderon/run/egress.sock".into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 3128)),
            control: None,
        };
        while let Some(flag) = args.next() {
            let Some(value) = args.next() else {
                return Err(Refusal::new(format!("{flag} needs a value")));
            };
            let wrong = || Refusal::new(format!("{flag} does not take {value:?}"));
            match flag.as_str() {
                "--launch" => options.launch = value.into(),
                "--egress" => options.egress = value.into(),
                "--listen" => options.listen = value.parse().map_err(|_| wrong())?,
                "--control" => options.control = Some(value.parse().map_err(|_| wrong())?),
                _ => return Err(Refusal::new(format!("there is no flag {flag}"))),
            }
        }
        Ok(options)
    }
}
