//! The model's memory piece by piece, for whoever keeps it beyond the process: what
//! changed, and the way back.
//!
//! A piece is one thing with a name of its own (a pool, an identity, a dataset, a
//! record, a session that was used up), so that keeping a call costs what it changed
//! and not what there is. Its form is JSON: whoever opens a kept memory years later
//! can read it, and a field that came later is simply not there.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::dataset::{Dataset, Record};
use super::session::SessionId;
use super::state::{DatasetPlace, Identity, Model, Pool};
use super::timestamp::Timestamp;

/// Names a piece of the memory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PieceKey {
    /// A pool: its configuration, its event, its latest bulk publish.
    Pool(String),
    /// An identity, by pool and id: its devices and its latest change.
    Identity(String, String),
    /// A dataset, deleted ones too: its count, its dates, who subscribed.
    Dataset(DatasetPlace),
    /// A record of a dataset, by key; a tombstone too.
    Record(DatasetPlace, String),
    /// A session that an update of this identity has used up.
    Session(String, String, SessionId),
}

/// A piece as it now is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Which.
    pub key: PieceKey,
    /// Its form in JSON; none when there is no such thing any more. A dataset that is
    /// gone takes its records with it.
    pub form: Option<Vec<u8>>,
}

/// What became of a piece that was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// It is remembered again.
    Taken,
    /// The model's world has no such pool or identity.
    Unknown,
}

/// Why a piece cannot be given back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Its form is not that of such a piece.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A record without its dataset.
    #[error("its dataset is missing")]
    Orphan,
}

impl Model {
    /// What may have changed since the last time. A pool, an identity or a dataset is
    /// only there when its form is another than before.
    pub fn take_changes(&mut self) -> Vec<Piece> {
        let mut changes = Changes(Vec::new());
        self.pools.drain_touched(|id, pool| {
            let Some(pool) = pool else { return };
            if let Some(form) = changed(form(pool), &mut pool.kept) {
                changes.push(PieceKey::Pool(id.clone()), Some(form));
            }
            pool.identities.drain_touched(|identity_id, identity| {
                if let Some(identity) = identity {
                    changes.identity(&id, &identity_id, identity);
                }
            });
        });
        changes.0
    }

    /// Forgets what changed, when nobody keeps it.
    pub fn forget_changes(&mut self) {
        self.pools.drain_touched(|_, pool| {
            let Some(pool) = pool else { return };
            pool.identities.drain_touched(|_, identity| {
                let Some(identity) = identity else { return };
                identity.spent.drain_touched(|_, _| {});
                identity.datasets.drain_touched(|_, dataset| {
                    if let Some(dataset) = dataset {
                        dataset.records.drain_touched(|_, _| {});
                    }
                });
            });
        });
    }

    /// Goes on after everything was given back: bulk publishes that were under way failed
    /// when whoever saw to them ended. Every pool is among the next changes, those that
    /// nothing ever happened to too: when a pool was made is remembered from its first
    /// day.
    pub fn resume(&mut self, now: Timestamp) {
        let numbers = &mut self.numbers;
        for pool in self.pools.values_mut() {
            *numbers += 1;
            pool.stream_setting = *numbers;
            if let Some(publish) = &mut pool.published {
                publish.interrupted(now);
            }
        }
    }

    /// Every piece there is, changed or not.
    #[cfg(test)]
    pub(in crate::reference) fn all_pieces(&self) -> Vec<Piece> {
        let mut model = self.clone();
        for pool in model.pools.values_mut() {
            pool.kept.clear();
            for identity in pool.identities.values_mut() {
                identity.kept.clear();
                identity.spent.touch_all();
                for dataset in identity.datasets.values_mut() {
                    dataset.kept.clear();
                    dataset.records.touch_all();
                }
            }
        }
        model.take_changes()
    }

    /// Gives a piece back that [`Model::take_changes`] once gave. Datasets come before
    /// their records, and all of it before the first call.
    ///
    /// # Errors
    ///
    /// When the piece is not what it should be.
    pub fn restore(&mut self, key: &PieceKey, form: &[u8]) -> Result<Restored, RestoreError> {
        let (PieceKey::Pool(pool)
        | PieceKey::Identity(pool, _)
        | PieceKey::Session(pool, ..)
        | PieceKey::Dataset(DatasetPlace { identity_pool_id: pool, .. })
        | PieceKey::Record(DatasetPlace { identity_pool_id: pool, .. }, _)) = key;
        let Some(pool) = self.pools.restored(pool) else { return Ok(Restored::Unknown) };
        let (identity, switches) = match key {
            PieceKey::Pool(_) => {
                let identities = std::mem::take(&mut pool.identities);
                *pool = Pool { identities, kept: form.to_vec(), ..read(form)? };
                return Ok(Restored::Taken);
            }
            PieceKey::Identity(_, id) | PieceKey::Session(_, id, _) => (id, None),
            PieceKey::Dataset(place) | PieceKey::Record(place, _) => (&place.identity_id, Some(&self.switches)),
        };
        let Some(identity) = pool.identities.restored(identity) else { return Ok(Restored::Unknown) };
        match (key, switches) {
            (PieceKey::Session(_, _, session), _) => identity.spent.restore(*session, read(form)?),
            (PieceKey::Dataset(place), Some(switches)) => {
                let dataset = Dataset { kept: form.to_vec(), switches: switches.clone(), ..read(form)? };
                identity.datasets.restore(place.dataset_name.clone(), dataset);
            }
            (PieceKey::Record(place, key), _) => {
                let dataset = identity.datasets.restored(&place.dataset_name).ok_or(RestoreError::Orphan)?;
                dataset.restore(Record { key: key.clone(), ..read(form)? });
            }
            _ => {
                let Identity { datasets, spent, .. } = std::mem::take(identity);
                *identity = Identity { datasets, spent, kept: form.to_vec(), ..read(form)? };
            }
        }
        Ok(Restored::Taken)
    }
}

struct Changes(Vec<Piece>);

impl Changes {
    fn push(&mut self, key: PieceKey, form: Option<Vec<u8>>) {
        self.0.push(Piece { key, form });
    }

    fn identity(&mut self, pool: &str, id: &str, identity: &mut Identity) {
        if let Some(form) = changed(form(identity), &mut identity.kept) {
            self.push(PieceKey::Identity(pool.to_owned(), id.to_owned()), Some(form));
        }
        identity.datasets.drain_touched(|dataset_name, dataset| {
            let (identity_pool_id, identity_id) = (pool.to_owned(), id.to_owned());
            let place = DatasetPlace { identity_pool_id, identity_id, dataset_name };
            match dataset {
                Some(dataset) => self.dataset(&place, dataset),
                None => self.push(PieceKey::Dataset(place), None),
            }
        });
        identity.spent.drain_touched(|session, expires| {
            self.push(PieceKey::Session(pool.to_owned(), id.to_owned(), session), expires.map(|expires| form(expires)));
        });
    }

    fn dataset(&mut self, place: &DatasetPlace, dataset: &mut Dataset) {
        if let Some(form) = changed(form(dataset), &mut dataset.kept) {
            self.push(PieceKey::Dataset(place.clone()), Some(form));
        }
        dataset.records.drain_touched(|key, record| {
            self.push(PieceKey::Record(place.clone(), key), record.map(|record| form(record)));
        });
    }
}

/// The new form, when it is another than the one that is kept, which it then is.
fn changed(new: Vec<u8>, kept: &mut Vec<u8>) -> Option<Vec<u8>> {
    if *kept == new {
        return None;
    }
    kept.clone_from(&new);
    Some(new)
}

fn form(piece: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(piece).expect("pieces are plain JSON")
}

fn read<T: DeserializeOwned>(form: &[u8]) -> Result<T, RestoreError> {
    Ok(serde_json::from_slice(form)?)
}
