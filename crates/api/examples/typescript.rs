//! Prints the wire types and the endpoint table as TypeScript. `make types` keeps `ui/src/api/types.ts` equal to it.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;

use clauderon_api::Endpoint;
use clauderon_api::wire::*;
use ts_rs::{Config, TS, TypeVisitor};

struct Declarations {
    config: Config,
    found: BTreeMap<String, String>,
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if T::output_path().is_none() {
            // Numbers, strings and lists have no declaration of their own; what they hold is visited by itself.
            return;
        }
        let name = T::ident(&self.config);
        let declaration = T::decl(&self.config);
        if let Some(known) = self.found.get(&name) {
            assert_eq!(*known, declaration, "two types are called {name}");
            return;
        }
        self.found.insert(name, declaration);
        T::visit_dependencies(self);
    }
}

macro_rules! visit {
    ($into:ident: $($type:ty),+ $(,)?) => { $($into.visit::<$type>();)+ };
}

fn main() {
    let mut all = Declarations {
        config: Config::new().with_large_int("number"),
        found: BTreeMap::new(),
    };
    visit!(all:
        AccountsView, AgentsView, AllowHost, AuditQuery, AuditReport, AuditRow, ChangeMessage, ConfigView, ConsoleClientText,
        ConsoleQuery, ConsoleText, ConversationEvent, ConversationQuery, CreateLine, CreateOptions, CreateSession, DaemonInfo, Desk, DiffView, DoctorReport, FileSides,
        FileView, FilesChanged, FixLine, FolderView, ForkSession, MessageQuery, MessageView, Network, PathQuery, PolicyView, PullView, RecentRepository,
        SaveAccount, SayText, SendMessage, SetBudget, AnswerApproval, ServerEvent, SessionInfo, SignInText, StatusView, StorageView, TrashRow, UpdateSession,
        Upload, UploadQuery, UsageQuery, UsageView, WebLink,
    );
    println!("// Made by `make types` from crates/api; do not edit.\n");
    for declaration in all.found.values() {
        println!("export {declaration}\n");
    }
    println!("/** Every endpoint: its method and path. */");
    println!("export const endpoints = {{");
    for endpoint in Endpoint::ALL {
        let (name, method, path) = (endpoint.name(), endpoint.method(), endpoint.path());
        println!("  /** {} */", endpoint.doc());
        println!("  {name}: {{ method: \"{method}\", path: \"{path}\" }},");
    }
    println!("}} as const;");
}
