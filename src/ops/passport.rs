//! The passport beside the configuration: asked where the history of this machine knows nothing, and
//! written when a person asks for it.
//!
//! The history knows better: it saw what happened. So the passport counts only for a state of which this
//! machine has seen no good one yet, as after a fresh clone.

use std::path::{Component, Path, PathBuf};

use crate::error::Error;
use crate::guard::refusal::{Expected, Witness};
use crate::model::identity::Identity;
use crate::model::operation::{Image, Status};
use crate::model::passport::{Claim, Passport};
use crate::sys::edit;

use super::caller::Caller;
use super::report::{Entered, PassportReport};
use super::{Context, Subject, capture, guards};

/// The file's name, beside the configuration.
const FILE: &str = ".tf-shim.passport.json";

/// What the passport of the root module says should be there; none where there is no passport, where it
/// does not know this state, or says that it has no resources.
///
/// # Errors
/// There is a file of that name, and it is no passport.
pub(super) fn expected(context: &Context, identity: &Identity) -> Result<Option<Expected>, Error> {
    let path = context.config.root_module.join(FILE);
    let Some((passport, _)) = read(&path)? else { return Ok(None) };
    let place = Claim::about(identity, path_of(context, identity), context.clock.now());
    let claim = passport.claim(&place).filter(|claim| claim.has_resources);
    Ok(claim.map(|claim| Expected {
        lineage: claim.lineage.clone(),
        serial: claim.serial,
        resources: None,
        when: Some(claim.when),
        who: Some(claim.by.clone()),
        witness: Witness::Passport(path),
    }))
}

/// Whether something may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    /// The passport is written where it does not say what is so.
    Write,
    /// It is only compared.
    Compare,
}

/// Compares the passport with the state as it is now, and enters what is so.
///
/// # Errors
/// The state cannot be read; a guard objects to it; the file is no passport, or cannot be written.
pub(crate) fn enter(
    context: &Context,
    subject: &Subject,
    caller: &Caller<'_>,
    errand: Errand,
) -> Result<PassportReport, Error> {
    let path = context.config.root_module.join(FILE);
    let reading = subject.read(context, caller.called_as)?;
    let image = capture::image_of(&reading);
    if errand == Errand::Write {
        let found = (&image, &reading);
        guards::settled("passport", context, &subject.location, found, caller)?;
    }
    let identity = &subject.location.identity;
    let claim = claim_of(context, identity, &image);
    let known = read(&path)?;
    let said = known.as_ref().and_then(|(passport, _)| passport.claim(&claim)).cloned();
    let is_right = said.as_ref().is_some_and(|said| said.holds_for(&claim));
    let entered = match (is_right, errand) {
        (true, _) => Entered::Nothing,
        (false, Errand::Compare) => Entered::Differs,
        (false, Errand::Write) => {
            write(&path, known, claim.clone())?;
            Entered::Written
        }
    };
    let mut state = subject.name();
    state.lineage.clone_from(&claim.lineage);
    Ok(PassportReport { path, state, said, is: claim, entered })
}

fn claim_of(context: &Context, identity: &Identity, image: &Image) -> Claim {
    let is_there = matches!(image.status, Status::Ok | Status::Encrypted);
    Claim {
        lineage: image.lineage.clone().filter(|_| is_there),
        serial: image.serial.filter(|_| is_there),
        // How many an encrypted state has, nobody can see.
        has_resources: is_there && image.resources != Some(0),
        by: context.who.at_host(),
        ..Claim::about(identity, path_of(context, identity), context.clock.now())
    }
}

fn write(path: &Path, known: Option<(Passport, Vec<u8>)>, claim: Claim) -> Result<(), Error> {
    let failed = |source| Error::WriteFile { path: path.to_owned(), source };
    let (passport, old) = known.map_or((Passport::empty(), None), |(p, old)| (p, Some(old)));
    let text = passport.with(claim).to_text().map_err(|error| failed(error.into()))?;
    match old {
        Some(old) => edit::replace(path, &old, text.as_bytes()).map_err(failed),
        None => edit::create(path, text.as_bytes()).map_err(failed),
    }
}

/// The passport in a file, and the file's bytes; none where there is no file.
fn read(path: &Path) -> Result<Option<(Passport, Vec<u8>)>, Error> {
    let failed = |source| Error::ReadFile { path: path.to_owned(), source };
    let Some(bytes) = edit::read(path).map_err(failed)? else { return Ok(None) };
    let passport = Passport::parse(&bytes)
        .map_err(|source| Error::NoPassport { path: path.to_owned(), source })?;
    Ok(Some((passport, bytes)))
}

/// The path of a local state as seen from the root module, on every machine the same; none for a remote one.
fn path_of(context: &Context, identity: &Identity) -> Option<String> {
    let path = PathBuf::from(identity.path()?.to_os_string());
    let root = &context.config.root_module;
    let root = root.canonicalize().unwrap_or_else(|_| root.clone());
    let shared = path.components().zip(root.components()).take_while(|(a, b)| a == b).count();
    let up = root.components().skip(shared).map(|_| Component::ParentDir);
    let seen: PathBuf = up.chain(path.components().skip(shared)).collect();
    Some(seen.to_string_lossy().into_owned())
}
