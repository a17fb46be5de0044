//! What the topic of a stream holds, by key, in temporary files: memory does not grow with the number of keys.
//!
//! One file is a hash table of open addressing with linear probing, of slots of one size; the other one holds the keys,
//! one after the other. Both are made anew whenever a stream begins to be read, and go with the process.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use xxhash_rust::xxh3::xxh3_128;

/// The bytes of a slot: hash of the key, content, place of the key, cycle, attempt.
const SLOT: usize = 40;

/// How many slots there are at first.
const FIRST_CAPACITY: u64 = 1 << 12;

/// How many slots are read at once where all are.
const AT_ONCE: u64 = 1 << 10;

/// The cycle of a key that is there no more.
const GONE: u32 = u32::MAX;

/// What is known of the records of a stream.
pub(super) struct Index {
    slots: File,
    capacity: u64,
    /// Slots that have been taken, those of keys that are gone included.
    taken: u64,
    keys: File,
    /// Where the next key goes.
    end: u64,
    cycle: u32,
    attempt: u32,
    /// Attempts that came to nothing: what they were to write was not written.
    failed: BTreeSet<u32>,
    /// How many keys are there.
    pub(super) live: u64,
    /// How many of them the cycle under way has seen.
    pub(super) seen: u64,
}

/// A key, and where its record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Located<'a> {
    pub(super) key: &'a str,
    /// The topic, if that is not the stream's.
    pub(super) topic: Option<&'a str>,
}

/// A key that is there no more, and where its record was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) key: String,
    pub(super) topic: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    /// Of the key; 0 in a slot that is free.
    hash: u128,
    content: u64,
    at: u64,
    /// The last cycle that has seen it; 0 if none of this process has.
    cycle: u32,
    attempt: u32,
}

impl Slot {
    fn read(bytes: &[u8]) -> Self {
        let part = |from: usize, to: usize| bytes.get(from..to).unwrap_or_default();
        let long = |from| u64::from_le_bytes(part(from, from + 8).try_into().unwrap_or_default());
        let int = |from| u32::from_le_bytes(part(from, from + 4).try_into().unwrap_or_default());
        Self {
            hash: u128::from_le_bytes(part(0, 16).try_into().unwrap_or_default()),
            content: long(16),
            at: long(24),
            cycle: int(32),
            attempt: int(36),
        }
    }

    fn bytes(self) -> [u8; SLOT] {
        let mut bytes = [0; SLOT];
        bytes[..16].copy_from_slice(&self.hash.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.content.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.at.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.cycle.to_le_bytes());
        bytes[36..].copy_from_slice(&self.attempt.to_le_bytes());
        bytes
    }
}

fn hash_of(key: &str) -> u128 {
    xxh3_128(key.as_bytes()).max(1)
}

fn table(capacity: u64) -> io::Result<File> {
    let file = tempfile::tempfile()?;
    file.set_len(capacity * SLOT as u64)?;
    Ok(file)
}

impl Index {
    /// One that knows no key.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            slots: table(FIRST_CAPACITY)?,
            capacity: FIRST_CAPACITY,
            taken: 0,
            keys: tempfile::tempfile()?,
            end: 0,
            cycle: 1,
            // What stands in Kafka is of none.
            attempt: 1,
            failed: BTreeSet::new(),
            live: 0,
            seen: 0,
        })
    }

    /// Takes in what stands in Kafka of a key; `content` is a hash of its record, `None` if it is gone.
    pub(super) fn restore(&mut self, located: Located<'_>, content: Option<u64>) -> io::Result<()> {
        let hash = hash_of(located.key);
        let (place, found) = self.find(hash)?;
        let was_live = found.is_some_and(|slot| slot.cycle != GONE);
        match content {
            Some(content) => {
                let at = self.write_key(located)?;
                self.live += u64::from(!was_live);
                self.put(place, found, Slot { hash, content, at, cycle: 0, attempt: 0 })
            }
            None if was_live => {
                self.live -= 1;
                self.put(place, found, Slot { hash, content: 0, at: 0, cycle: GONE, attempt: 0 })
            }
            None => Ok(()),
        }
    }

    /// Takes note of a record of the cycle under way; `true` if it is new, or not as it was.
    pub(super) fn observe(&mut self, located: Located<'_>, content: u64) -> io::Result<bool> {
        let hash = hash_of(located.key);
        let (place, found) = self.find(hash)?;
        let (cycle, attempt) = (self.cycle, self.attempt);
        let Some(slot) = found.filter(|slot| slot.cycle != GONE) else {
            let at = self.write_key(located)?;
            self.live += 1;
            self.seen += 1;
            self.put(place, found, Slot { hash, content, at, cycle, attempt })?;
            return Ok(true);
        };
        self.seen += u64::from(slot.cycle != cycle);
        let is_as_it_was = slot.content == content && !self.failed.contains(&slot.attempt);
        if !is_as_it_was {
            let at = self.write_key(located)?;
            self.put(place, found, Slot { hash, content, at, cycle, attempt })?;
        } else if slot.cycle != cycle {
            self.put(place, found, Slot { cycle, ..slot })?;
        }
        Ok(!is_as_it_was)
    }

    /// Begins a cycle, which has seen nothing yet.
    pub(super) fn begin_cycle(&mut self) {
        self.cycle += 1;
        self.seen = 0;
    }

    /// Begins to write something that may come to nothing.
    pub(super) fn begin_attempt(&mut self) {
        self.attempt += 1;
    }

    /// What the attempt under way was to write has not been written.
    pub(super) fn fail_attempt(&mut self) {
        self.failed.insert(self.attempt);
        self.attempt += 1;
    }

    /// Some of the keys that the cycle has not seen, which are then gone: from a slot on, about `most`. Also the slot to
    /// go on from; `None` at the end.
    pub(super) fn take_gone(&mut self, from: u64, most: usize) -> io::Result<(Vec<Gone>, Option<u64>)> {
        let mut gone = Vec::new();
        let mut bytes = vec![0; AT_ONCE.min(self.capacity) as usize * SLOT];
        let mut place = from;
        while place < self.capacity && gone.len() < most {
            self.slots.read_exact_at(&mut bytes, place * SLOT as u64)?;
            for (place, bytes) in (place..).zip(bytes.chunks_exact(SLOT)) {
                let slot = Slot::read(bytes);
                if slot.hash == 0 || slot.cycle == GONE || slot.cycle == self.cycle {
                    continue;
                }
                gone.push(self.read_key(slot.at)?);
                self.live -= 1;
                self.write(place, Slot { cycle: GONE, ..slot })?;
            }
            place += AT_ONCE;
        }
        Ok((gone, (place < self.capacity).then_some(place)))
    }

    /// The slot of a key, or the one for it, and what it holds.
    fn find(&self, hash: u128) -> io::Result<(u64, Option<Slot>)> {
        // The capacity is a power of two.
        let mut place = hash as u64 & (self.capacity - 1);
        loop {
            let mut bytes = [0; SLOT];
            self.slots.read_exact_at(&mut bytes, place * SLOT as u64)?;
            let slot = Slot::read(&bytes);
            if slot.hash == hash {
                return Ok((place, Some(slot)));
            }
            if slot.hash == 0 {
                return Ok((place, None));
            }
            place = (place + 1) & (self.capacity - 1);
        }
    }

    /// Sets the slot that was found.
    fn put(&mut self, place: u64, found: Option<Slot>, slot: Slot) -> io::Result<()> {
        self.write(place, slot)?;
        self.taken += u64::from(found.is_none());
        // Fuller than this, the ways to a key become long.
        if self.taken * 3 > self.capacity * 2 { self.grow() } else { Ok(()) }
    }

    fn write(&self, place: u64, slot: Slot) -> io::Result<()> {
        self.slots.write_all_at(&slot.bytes(), place * SLOT as u64)
    }

    /// Moves to a table with room: those that are gone stay behind.
    fn grow(&mut self) -> io::Result<()> {
        let capacity = (self.live * 3).next_power_of_two().max(FIRST_CAPACITY);
        let before = std::mem::replace(&mut self.slots, table(capacity)?);
        let slots = std::mem::replace(&mut self.capacity, capacity);
        self.taken = 0;
        let mut bytes = vec![0; AT_ONCE as usize * SLOT];
        for place in (0..slots).step_by(AT_ONCE as usize) {
            before.read_exact_at(&mut bytes, place * SLOT as u64)?;
            for slot in bytes.chunks_exact(SLOT).map(Slot::read).filter(|slot| slot.hash != 0 && slot.cycle != GONE) {
                let (place, _) = self.find(slot.hash)?;
                self.write(place, slot)?;
                self.taken += 1;
            }
        }
        Ok(())
    }

    /// Adds a key: the lengths of the key and of the topic, and both.
    fn write_key(&mut self, Located { key, topic }: Located<'_>) -> io::Result<u64> {
        let topic = topic.unwrap_or_default();
        let length = |text: &str| u32::try_from(text.len()).map_err(io::Error::other).map(u32::to_le_bytes);
        let entry = [&length(key)?[..], &length(topic)?, key.as_bytes(), topic.as_bytes()].concat();
        let at = self.end;
        self.keys.write_all_at(&entry, at)?;
        self.end += entry.len() as u64;
        Ok(at)
    }

    fn read_key(&self, at: u64) -> io::Result<Gone> {
        let mut lengths = [0; 8];
        self.keys.read_exact_at(&mut lengths, at)?;
        let (key, topic) = lengths.split_at(4);
        let length = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap_or_default()) as usize;
        let mut text = vec![0; length(key) + length(topic)];
        self.keys.read_exact_at(&mut text, at + 8)?;
        let topic = text.split_off(length(key));
        let utf8 = |bytes| String::from_utf8(bytes).map_err(io::Error::other);
        Ok(Gone { key: utf8(text)?, topic: Some(utf8(topic)?).filter(|topic| !topic.is_empty()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(key: &str) -> Located<'_> {
        Located { key, topic: None }
    }

    /// All keys that the cycle has not seen, in order.
    fn gone(index: &mut Index) -> Vec<String> {
        let (mut keys, mut from) = (Vec::new(), Some(0));
        while let Some(place) = from {
            let (gone, next) = index.take_gone(place, 10).unwrap();
            keys.extend(gone.into_iter().map(|gone| gone.key));
            from = next;
        }
        keys.sort();
        index.begin_cycle();
        keys
    }

    #[test]
    fn says_what_is_new_or_changed_and_then_what_is_gone() {
        let mut index = Index::new().unwrap();
        index.restore(at("a"), Some(1)).unwrap();
        index.restore(at("b"), Some(2)).unwrap();
        index.restore(at("c"), Some(3)).unwrap();
        index.restore(at("c"), None).unwrap();
        assert_eq!((index.live, index.seen), (2, 0));
        assert!(!index.observe(at("a"), 1).unwrap());
        assert!(index.observe(at("c"), 3).unwrap(), "it had gone");
        assert!(!index.observe(at("c"), 3).unwrap(), "twice in a cycle");
        assert_eq!((index.live, index.seen), (3, 2));
        assert_eq!(gone(&mut index), ["b"]);
        assert!(index.observe(at("a"), 7).unwrap());
        assert_eq!((index.live, index.seen), (2, 1));
        assert_eq!(gone(&mut index), ["c"]);
        assert!(index.observe(at("b"), 2).unwrap(), "it is there again");
        assert_eq!(gone(&mut index), ["a"]);
        assert_eq!(gone(&mut index), ["b"]);
        assert_eq!(gone(&mut index), Vec::<String>::new());
    }

    #[test]
    fn knows_where_a_record_was_last() {
        let mut index = Index::new().unwrap();
        for topic in ["monday", "tuesday"] {
            let content = topic.len() as u64;
            assert!(index.observe(Located { key: "é", topic: Some(topic) }, content).unwrap());
        }
        index.begin_cycle();
        let (gone, _) = index.take_gone(0, 10).unwrap();
        assert_eq!(gone, [Gone { key: "é".to_owned(), topic: Some("tuesday".to_owned()) }]);
    }

    #[test]
    fn what_was_not_written_is_written_again() {
        let mut index = Index::new().unwrap();
        index.restore(at("a"), Some(1)).unwrap();
        index.begin_attempt();
        assert!(!index.observe(at("a"), 1).unwrap());
        assert!(index.observe(at("b"), 2).unwrap());
        index.fail_attempt();
        assert!(!index.observe(at("a"), 1).unwrap());
        assert!(index.observe(at("b"), 2).unwrap());
        assert!(!index.observe(at("b"), 2).unwrap());
        assert_eq!((index.live, index.seen), (2, 2));
        // The first one, too, has nothing to do with what stands in Kafka.
        let mut index = Index::new().unwrap();
        index.restore(at("a"), Some(1)).unwrap();
        index.fail_attempt();
        assert!(!index.observe(at("a"), 1).unwrap());
    }

    #[test]
    fn grows_with_the_keys() {
        let keys: Vec<_> = (0..3 * FIRST_CAPACITY).map(|number| format!("key-{number}")).collect();
        let mut index = Index::new().unwrap();
        for key in &keys {
            assert!(index.observe(at(key), 7).unwrap());
        }
        assert!(gone(&mut index).is_empty());
        for key in keys.iter().skip(5) {
            assert!(!index.observe(at(key), 7).unwrap());
        }
        assert_eq!(gone(&mut index), ["key-0", "key-1", "key-2", "key-3", "key-4"]);
        assert_eq!(index.live, keys.len() as u64 - 5);
    }
}
