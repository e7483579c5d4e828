//! A map that remembers which of its entries were reached for change, so that what
//! is kept elsewhere can follow. Whoever reaches for an entry need not say so: the
//! map is read through its entries, and changed through the methods here only.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::collections::btree_map::{self, BTreeMap, Entry};
use std::mem::take;
use std::ops::Deref;

/// A map and the keys of the entries that were reached for change since it was last
/// asked for them. It holds each such key once, whether or not anybody asks.
#[derive(Debug, Clone)]
pub(super) struct Tracked<K, V> {
    entries: BTreeMap<K, V>,
    touched: BTreeSet<K>,
}

impl<K: Ord, V> Default for Tracked<K, V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), touched: BTreeSet::new() }
    }
}

impl<K: Ord + Clone, V> Tracked<K, V> {
    pub(super) fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Ord + ToOwned<Owned = K> + ?Sized,
    {
        let entry = self.entries.get_mut(key)?;
        if !self.touched.contains(key) {
            self.touched.insert(key.to_owned());
        }
        Some(entry)
    }

    pub(super) fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        self.touched.insert(key.clone());
        self.entries.entry(key)
    }

    pub(super) fn values_mut(&mut self) -> btree_map::ValuesMut<'_, K, V> {
        self.touched.extend(self.entries.keys().cloned());
        self.entries.values_mut()
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.touched.insert(key.clone());
        self.entries.insert(key, value);
    }

    pub(super) fn remove<Q>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Ord + ToOwned<Owned = K> + ?Sized,
    {
        self.touched.insert(key.to_owned());
        self.entries.remove(key);
    }

    pub(super) fn clear(&mut self) {
        self.touched.extend(take(&mut self.entries).into_keys());
    }

    pub(super) fn retain(&mut self, keeps: impl Fn(&V) -> bool) {
        let touched = &mut self.touched;
        self.entries.retain(|key, value| {
            let kept = keeps(value);
            if !kept {
                touched.insert(key.clone());
            }
            kept
        });
    }

    /// Puts an entry there without remembering it: it comes from where changes are kept.
    pub(super) fn restore(&mut self, key: K, value: V) {
        self.entries.insert(key, value);
    }

    /// An entry to be filled with what is kept elsewhere already.
    pub(super) fn restored<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.entries.get_mut(key)
    }

    /// Calls `each` with what was touched since the last time, and forgets it. An entry
    /// that is gone has no value.
    pub(super) fn drain_touched(&mut self, mut each: impl FnMut(K, Option<&mut V>)) {
        for key in take(&mut self.touched) {
            let value = self.entries.get_mut(&key);
            each(key, value);
        }
    }

    /// Remembers every entry as touched.
    #[cfg(test)]
    pub(super) fn touch_all(&mut self) {
        self.touched.extend(self.entries.keys().cloned());
    }
}

impl<K: Ord, V> Deref for Tracked<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.entries
    }
}

impl<'t, K, V> IntoIterator for &'t Tracked<K, V> {
    type Item = (&'t K, &'t V);
    type IntoIter = btree_map::Iter<'t, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}

impl<K: Ord + Clone, V> Extend<(K, V)> for Tracked<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        entries.into_iter().for_each(|(key, value)| self.insert(key, value));
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Tracked<K, V> {
    /// Nothing of it counts as touched.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect(), touched: BTreeSet::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::Tracked;

    fn touched(map: &mut Tracked<u8, u8>) -> Vec<(u8, Option<u8>)> {
        let mut touched = Vec::new();
        map.drain_touched(|key, value| touched.push((key, value.copied())));
        touched
    }

    #[test]
    fn whatever_may_have_changed_is_remembered_once() {
        let mut map: Tracked<u8, u8> = [(1, 10), (2, 20), (3, 30)].into_iter().collect();
        assert_eq!((map.len(), touched(&mut map)), (3, vec![]));
        assert_eq!(map.get(&1), Some(&10));
        assert_eq!(map.get_mut(&9), None);
        assert_eq!(touched(&mut map), []);
        *map.get_mut(&1).expect("it is there") = 11;
        map.insert(1, 12);
        map.remove(&2);
        map.entry(4).or_insert(40);
        assert_eq!(touched(&mut map), [(1, Some(12)), (2, None), (4, Some(40))]);
        map.retain(|value| *value > 12);
        assert_eq!(touched(&mut map), [(1, None)]);
        map.values_mut().for_each(|value| *value += 1);
        assert_eq!(touched(&mut map), [(3, Some(31)), (4, Some(41))]);
        map.extend([(5, 50)]);
        map.clear();
        assert_eq!(touched(&mut map), [(3, None), (4, None), (5, None)]);
        map.restore(6, 60);
        assert_eq!(touched(&mut map), []);
        map.touch_all();
        assert_eq!(touched(&mut map), [(6, Some(60))]);
    }
}
