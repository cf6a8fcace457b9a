//! Opening: FORMAT.md, "Directory" and "Recovery".

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use alloy_consensus::Header;
use alloy_rlp::Decodable;

use crate::{
    CrashPoint, OpenError, Settings, StoreError, Table,
    engine::{Engine, View},
    identity::{Identity, sync_directory},
    schema::{self, HeadRow, IdentityRow, meta},
};

/// The engine of the database in `dir`, which is made if it is missing or empty.
pub(crate) fn open(dir: &Path, identity: Identity, settings: &Settings) -> Result<Engine, OpenError> {
    match Identity::read(dir)? {
        Some(found) => identity.expect(&found, dir)?,
        None => {
            fs::create_dir_all(dir).map_err(|error| OpenError::io(dir, "create", error))?;
            identity.write(dir)?;
        }
    }
    settings.pass(CrashPoint::IdentityWritten);

    let (temporary, place) = (dir.join("engine.new"), engine_place(dir));
    if !exists(&place)? {
        create(dir, &temporary, &place, identity, settings)?;
    }
    let engine = Engine::open(&place, settings)?;
    check(&engine.view(), identity).map_err(|source| OpenError::Inconsistent { dir: dir.to_path_buf(), source })?;
    Ok(engine)
}

/// Where the engine of the database in `dir` lives.
pub(crate) fn engine_place(dir: &Path) -> PathBuf {
    dir.join("engine")
}

/// Builds the engine aside and moves it into place, so that no half-made one is ever opened.
fn create(
    dir: &Path,
    temporary: &Path,
    place: &Path,
    identity: Identity,
    settings: &Settings,
) -> Result<(), OpenError> {
    match fs::remove_dir_all(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(OpenError::io(temporary, "remove", error)),
        _ => {}
    }
    let engine = Engine::open(temporary, settings)?;
    let row = IdentityRow { format: identity.format, chain_id: identity.chain_id, genesis_hash: identity.genesis_hash };
    let mut batch = engine.batch();
    batch.put(Table::Meta, meta::IDENTITY, &row.encode());
    batch.commit().map_err(|source| OpenError::Damaged { dir: dir.to_path_buf(), source })?;
    drop(engine);
    settings.pass(CrashPoint::EngineCreated);

    fs::rename(temporary, place)
        .and_then(|()| sync_directory(dir))
        .map_err(|error| OpenError::io(place, "create", error))
}

fn exists(path: &Path) -> Result<bool, OpenError> {
    path.try_exists().map_err(|error| OpenError::io(path, "look for", error))
}

/// What must agree in a database that was closed or killed at any moment.
fn check(view: &View, identity: Identity) -> Result<(), StoreError> {
    let row = row(view, Table::Meta, meta::IDENTITY)?;
    let row = IdentityRow::decode(&row).ok_or_else(|| StoreError::malformed(Table::Meta, meta::IDENTITY))?;
    agree("format in IDENTITY and in the engine", identity.format, row.format)?;
    agree("chain id in IDENTITY and in the engine", identity.chain_id, row.chain_id)?;
    agree("genesis hash in IDENTITY and in the engine", identity.genesis_hash, row.genesis_hash)?;

    let Some(head) = view.get(Table::Meta, meta::HEAD)? else { return Ok(()) };
    let head = HeadRow::decode(&head).ok_or_else(|| StoreError::malformed(Table::Meta, meta::HEAD))?;
    check_head(view, &head)
}

fn check_head(view: &View, head: &HeadRow) -> Result<(), StoreError> {
    let key = schema::block_key(head.number, &head.hash);
    let header = row(view, Table::Headers, &key)?;
    let header = Header::decode(&mut &header[..]).map_err(|_| StoreError::malformed(Table::Headers, &key))?;
    agree("state root of the head and of its header", head.state_root, header.state_root)?;
    agree("number of the head and of its header", head.number, header.number)?;

    let canonical = row(view, Table::Canonical, &schema::number_key(head.number))?;
    agree("hash of the head and canonical hash at its number", head.hash.as_slice(), &canonical[..])?;
    let number = row(view, Table::Numbers, head.hash.as_slice())?;
    agree("number of the head and number of its hash", &schema::number_key(head.number)[..], &number[..])
}

fn row(view: &View, table: Table, key: &[u8]) -> Result<Vec<u8>, StoreError> {
    match view.get(table, key)? {
        Some(row) => Ok(row.to_vec()),
        None => Err(StoreError::missing(table, key)),
    }
}

fn agree<T: PartialEq + std::fmt::Debug>(what: &'static str, left: T, right: T) -> Result<(), StoreError> {
    if left == right {
        return Ok(());
    }
    Err(StoreError::Disagreement { what, left: format!("{left:?}"), right: format!("{right:?}") })
}
