//! The state file: a redb database with a table for each kind of piece.
//!
//! A new file is made beside its place and moved there when it is whole, so that a
//! program that is ended meanwhile leaves nothing that could be taken for a state.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use redb::{
    Database, DatabaseError, Durability, ReadableDatabase as _, ReadableTable as _, StorageError, TableDefinition,
    TableError,
};

use crate::reference::model::{DatasetPlace, Piece, PieceKey};

/// The layout of the tables; a file with a higher one was written by a newer program.
const FORMAT: u64 = 1;

/// Most bytes of the file that are held in memory; the model has everything anyway.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("syncspec");
const SECRETS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("secrets");
const POOLS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("pools");
const IDENTITIES: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("identities");
const DATASETS: TableDefinition<'_, (&str, &str, &str), &[u8]> = TableDefinition::new("datasets");
const RECORDS: TableDefinition<'_, (&str, &str, &str, &str), &[u8]> = TableDefinition::new("records");
const SESSIONS: TableDefinition<'_, (&str, &str, [u8; 16]), &[u8]> = TableDefinition::new("sessions");

/// Why a state file cannot be used. Each says what to do where something can be done.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process has it open.
    #[error("{0} is in use; is another `syncspec serve` running on it?")]
    InUse(String),
    /// It is no database, or none of this program's.
    #[error("{0} is no state file of syncspec; name another file, or one that does not exist yet")]
    Foreign(String),
    /// A later version wrote it.
    #[error("{path} was written by a newer syncspec (format {format}, this one knows {FORMAT})")]
    Newer {
        /// The file.
        path: String,
        /// Its format.
        format: u64,
    },
    /// It was altered or cut short, by something that is not this program.
    #[error("{path} is damaged: {what}; restore a copy, or move it away to begin anew")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// The system does not let it be read or written.
    #[error("cannot use {path} as state: {what}")]
    Unusable {
        /// The file.
        path: String,
        /// Why not.
        what: String,
    },
}

/// Takes a piece, or says what is wrong with it.
pub(super) type Take<'t> = &'t mut dyn FnMut(&PieceKey, &[u8]) -> Result<(), String>;

/// Whatever the database refuses with.
type Failure = Box<redb::Error>;

/// An open state file. No other process can open it meanwhile.
#[derive(Debug)]
pub(super) struct StateFile {
    path: String,
    database: Database,
}

impl StateFile {
    /// Opens the file, or makes it with this key for sync sessions.
    pub(super) fn open(path: &Path, new_session_key: [u8; 32]) -> Result<Self, StateError> {
        let shown = path.display().to_string();
        let unusable = |error: io::Error| StateError::Unusable { path: shown.clone(), what: error.to_string() };
        // An empty file is what `mktemp` makes: there is nothing in it to lose.
        let is_new = match fs::metadata(path) {
            Ok(file) if !file.is_file() => return Err(StateError::Foreign(shown)),
            Ok(file) => file.len() == 0,
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => return Err(unusable(error)),
        };
        if is_new {
            make(path, new_session_key).map_err(unusable)?;
        }
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .set_check_integrity_on_open(true)
            .open(path)
            .map_err(|error| refused(&shown, error))?;
        let file = Self { path: shown, database };
        match file.format() {
            Ok(Some(FORMAT)) => Ok(file),
            Ok(Some(format)) => Err(StateError::Newer { path: file.path, format }),
            Ok(None) => Err(StateError::Foreign(file.path)),
            Err(failure) => Err(file.damaged(&failure)),
        }
    }

    /// A database as it stands, for tests.
    #[cfg(test)]
    pub(super) fn new(database: Database) -> Self {
        begin(&database, [1; 32]).expect("an empty database takes its tables");
        Self { path: "memory".to_owned(), database }
    }

    fn format(&self) -> Result<Option<u64>, Failure> {
        let read = self.database.begin_read().map_err(boxed)?;
        let table = match read.open_table(NUMBERS) {
            Err(TableError::TableDoesNotExist(_) | TableError::TableTypeMismatch { .. }) => return Ok(None),
            table => table.map_err(boxed)?,
        };
        Ok(table.get("format").map_err(boxed)?.map(|format| format.value()))
    }

    /// What sync sessions are signed with.
    pub(super) fn session_key(&self) -> Result<[u8; 32], StateError> {
        let key = || -> Result<Option<[u8; 32]>, Failure> {
            let table = self.database.begin_read().map_err(boxed)?.open_table(SECRETS).map_err(boxed)?;
            let key = table.get("session-key").map_err(boxed)?;
            Ok(key.and_then(|key| key.value().try_into().ok()))
        };
        let key = key().map_err(|failure| self.damaged(&failure))?;
        key.ok_or_else(|| self.damaged(&"the key of its sync sessions is missing"))
    }

    /// Gives every piece to `take`, each before those that stand in it.
    pub(super) fn read_all(&self, take: Take<'_>) -> Result<(), StateError> {
        self.try_read_all(&mut |key, form| take(key, form).map_err(|what| format!("{}: {what}", in_words(key))))
            .map_err(|failure| self.damaged(&failure))
    }

    fn try_read_all(&self, take: Take<'_>) -> Result<(), Problem> {
        let read = self.database.begin_read().map_err(boxed)?;
        for piece in read.open_table(POOLS).map_err(boxed)?.iter().map_err(boxed)? {
            let (key, form) = piece.map_err(boxed)?;
            take(&PieceKey::Pool(key.value().to_owned()), form.value())?;
        }
        for piece in read.open_table(IDENTITIES).map_err(boxed)?.iter().map_err(boxed)? {
            let (key, form) = piece.map_err(boxed)?;
            let (pool, identity) = key.value();
            take(&PieceKey::Identity(pool.to_owned(), identity.to_owned()), form.value())?;
        }
        for piece in read.open_table(DATASETS).map_err(boxed)?.iter().map_err(boxed)? {
            let (key, form) = piece.map_err(boxed)?;
            let (pool, identity, dataset) = key.value();
            take(&PieceKey::Dataset(place(pool, identity, dataset)), form.value())?;
        }
        for piece in read.open_table(RECORDS).map_err(boxed)?.iter().map_err(boxed)? {
            let (key, form) = piece.map_err(boxed)?;
            let (pool, identity, dataset, record) = key.value();
            take(&PieceKey::Record(place(pool, identity, dataset), record.to_owned()), form.value())?;
        }
        for piece in read.open_table(SESSIONS).map_err(boxed)?.iter().map_err(boxed)? {
            let (key, form) = piece.map_err(boxed)?;
            let (pool, identity, session) = key.value();
            take(&PieceKey::Session(pool.to_owned(), identity.to_owned(), session), form.value())?;
        }
        Ok(())
    }

    /// Writes all of these or none, and comes back when they are on the disk.
    pub(super) fn write(&self, pieces: &[Piece]) -> Result<(), String> {
        self.try_write(pieces).map_err(|failure| format!("cannot write {}: {failure}", self.path))
    }

    fn try_write(&self, pieces: &[Piece]) -> Result<(), Failure> {
        let mut write = self.database.begin_write().map_err(boxed)?;
        write.set_durability(Durability::Immediate).map_err(boxed)?;
        {
            let mut tables = Tables {
                pools: write.open_table(POOLS).map_err(boxed)?,
                identities: write.open_table(IDENTITIES).map_err(boxed)?,
                datasets: write.open_table(DATASETS).map_err(boxed)?,
                records: write.open_table(RECORDS).map_err(boxed)?,
                sessions: write.open_table(SESSIONS).map_err(boxed)?,
            };
            for piece in pieces {
                tables.put(piece).map_err(boxed)?;
            }
        }
        write.commit().map_err(boxed)
    }

    fn damaged(&self, what: &dyn std::fmt::Display) -> StateError {
        StateError::Damaged { path: self.path.clone(), what: what.to_string() }
    }
}

/// The open tables of one transaction.
struct Tables<'t> {
    pools: redb::Table<'t, &'static str, &'static [u8]>,
    identities: redb::Table<'t, (&'static str, &'static str), &'static [u8]>,
    datasets: redb::Table<'t, (&'static str, &'static str, &'static str), &'static [u8]>,
    records: redb::Table<'t, (&'static str, &'static str, &'static str, &'static str), &'static [u8]>,
    sessions: redb::Table<'t, (&'static str, &'static str, [u8; 16]), &'static [u8]>,
}

/// Inserts or removes.
macro_rules! put {
    ($table:expr, $key:expr, $form:expr) => {
        match $form {
            Some(form) => $table.insert($key, form).map(drop)?,
            None => $table.remove($key).map(drop)?,
        }
    };
}

impl Tables<'_> {
    fn put(&mut self, piece: &Piece) -> Result<(), StorageError> {
        let form = piece.form.as_deref();
        match &piece.key {
            PieceKey::Pool(pool) => put!(self.pools, pool.as_str(), form),
            PieceKey::Identity(pool, identity) => put!(self.identities, (pool.as_str(), identity.as_str()), form),
            PieceKey::Session(pool, identity, session) => {
                put!(self.sessions, (pool.as_str(), identity.as_str(), *session), form);
            }
            PieceKey::Dataset(place) => {
                let (pool, identity, dataset) = names(place);
                put!(self.datasets, (pool, identity, dataset), form);
                if form.is_none() {
                    self.remove_records(pool, identity, dataset)?;
                }
            }
            PieceKey::Record(place, key) => {
                let (pool, identity, dataset) = names(place);
                put!(self.records, (pool, identity, dataset, key.as_str()), form);
            }
        }
        Ok(())
    }

    fn remove_records(&mut self, pool: &str, identity: &str, dataset: &str) -> Result<(), StorageError> {
        let mut keys = Vec::new();
        for record in self.records.range((pool, identity, dataset, "")..)? {
            let (key, _) = record?;
            let (of_pool, of_identity, of_dataset, record) = key.value();
            if (of_pool, of_identity, of_dataset) != (pool, identity, dataset) {
                break;
            }
            keys.push(record.to_owned());
        }
        keys.iter().try_for_each(|key| self.records.remove((pool, identity, dataset, key.as_str())).map(drop))
    }
}

/// Makes the file beside its place, and moves it there when it is whole.
fn make(path: &Path, session_key: [u8; 32]) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::other("this is no name of a file"))?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(beside);
    let made = fill(&beside, session_key).and_then(|()| put_in_place(&beside, path)).and_then(|()| sync_folder(path));
    // What was left beside it is of no use to anybody.
    let _ = fs::remove_file(&beside);
    made
}

/// Moves the new file to its place, unless another process was quicker.
fn put_in_place(beside: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(beside, path) {
        Ok(()) => Ok(()),
        Err(_) if fs::metadata(path).is_ok_and(|file| file.len() > 0) => Ok(()),
        // An empty file is in the way, or the file system knows no links.
        Err(_) => fs::rename(beside, path),
    }
}

fn fill(path: &PathBuf, session_key: [u8; 32]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        // Users' data, and the key of their sessions.
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)?;
    let database = Database::builder().create(path).map_err(io::Error::other)?;
    begin(&database, session_key).map_err(io::Error::other)?;
    database.close().map_err(io::Error::other)
}

/// Writes what every state file has.
fn begin(database: &Database, session_key: [u8; 32]) -> Result<(), Failure> {
    let write = database.begin_write().map_err(boxed)?;
    write.open_table(NUMBERS).map_err(boxed)?.insert("format", FORMAT).map_err(boxed)?;
    write.open_table(SECRETS).map_err(boxed)?.insert("session-key", session_key.as_slice()).map_err(boxed)?;
    write.open_table(POOLS).map_err(boxed)?;
    write.open_table(IDENTITIES).map_err(boxed)?;
    write.open_table(DATASETS).map_err(boxed)?;
    write.open_table(RECORDS).map_err(boxed)?;
    write.open_table(SESSIONS).map_err(boxed)?;
    write.commit().map_err(boxed)
}

/// Makes a new name in a folder last.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        return fs::File::open(folder)?.sync_all();
    }
    Ok(())
}

fn refused(path: &str, error: DatabaseError) -> StateError {
    let path = path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => StateError::InUse(path),
        DatabaseError::Storage(StorageError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
            StateError::Foreign(path)
        }
        DatabaseError::Storage(StorageError::Corrupted(what)) => StateError::Damaged { path, what },
        DatabaseError::Storage(StorageError::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
            StateError::Damaged { path, what: "it ends too soon".to_owned() }
        }
        error => StateError::Unusable { path, what: error.to_string() },
    }
}

/// Why the pieces cannot be read.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("{0}")]
    Database(#[from] Failure),
    #[error("{0}")]
    Piece(String),
}

impl From<String> for Problem {
    fn from(what: String) -> Self {
        Self::Piece(what)
    }
}

fn boxed(error: impl Into<redb::Error>) -> Failure {
    Box::new(error.into())
}

fn place(pool: &str, identity: &str, dataset: &str) -> DatasetPlace {
    DatasetPlace {
        identity_pool_id: pool.to_owned(),
        identity_id: identity.to_owned(),
        dataset_name: dataset.to_owned(),
    }
}

fn names(place: &DatasetPlace) -> (&str, &str, &str) {
    (&place.identity_pool_id, &place.identity_id, &place.dataset_name)
}

/// The piece, without what users wrote.
fn in_words(key: &PieceKey) -> String {
    match key {
        PieceKey::Pool(pool) => format!("the pool {pool}"),
        PieceKey::Identity(_, identity) => format!("the identity {identity}"),
        PieceKey::Dataset(place) => format!("a dataset of {}", place.identity_id),
        PieceKey::Record(place, _) => format!("a record of {}", place.identity_id),
        PieceKey::Session(_, identity, _) => format!("a session of {identity}"),
    }
}
