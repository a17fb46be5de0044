//! Java's own stores (JKS), read as `sun.security.provider.JavaKeyStore` and its `KeyProtector` write them.
//!
//! ```text
//! magic, version, number of entries; entries; SHA-1 of the password, 16 letters and all of that
//! key:         1, alias, time, length, EncryptedPrivateKeyInfo, number of certificates, certificates
//! certificate: 2, alias, time, certificate
//! ```

use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{Decode, Reader as _, SliceReader};
use pkcs8::spki::AlgorithmIdentifierRef;
use ring::digest::{Context, Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA1_OUTPUT_LEN};

use super::StoreError;

/// What a store begins with.
pub(super) const MAGIC: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];

/// What is hashed between the password and the store.
const WHITENER: &[u8] = b"Mighty Aphrodite";

/// How Sun's key protector calls itself in an `EncryptedPrivateKeyInfo`.
const KEY_PROTECTOR: &str = "1.3.6.1.4.1.42.2.17.1.1";

/// What is in a store, ordered by alias.
pub(super) struct Jks<'a> {
    entries: Vec<(&'a [u8], Entry<'a>)>,
}

enum Entry<'a> {
    Key(KeyEntry<'a>),
    Certificate(&'a [u8]),
}

/// A private key that a password opens, and the certificates that belong to it, its own first.
pub(super) struct KeyEntry<'a> {
    protected: &'a [u8],
    pub(super) chain: Vec<&'a [u8]>,
}

impl<'a> Jks<'a> {
    /// Reads a store. Without a password nothing tells whether it is as it was written.
    pub(super) fn read(content: &'a [u8], password: Option<&str>) -> Result<Self, StoreError> {
        let mut cursor = Cursor(content);
        let entries = entries(&mut cursor).ok_or(StoreError::Damaged)?;
        let (body, digest) = content.split_at_checked(content.len() - cursor.0.len()).ok_or(StoreError::Damaged)?;
        if digest.len() != SHA1_OUTPUT_LEN {
            return Err(StoreError::Damaged);
        }
        match password {
            Some(password) if sha1(&[&utf16(password), WHITENER, body]).as_ref() != digest => {
                Err(StoreError::StorePassword)
            }
            _ => Ok(Self { entries }),
        }
    }

    /// All certificates: the trusted ones, and those of keys.
    pub(super) fn certificates(&self) -> Vec<&'a [u8]> {
        let of_entry = |(_, entry): &(_, Entry<'a>)| match entry {
            Entry::Key(key) => key.chain.clone(),
            Entry::Certificate(certificate) => vec![*certificate],
        };
        self.entries.iter().flat_map(of_entry).collect()
    }

    /// The first private key.
    pub(super) fn key(&self) -> Option<&KeyEntry<'a>> {
        self.entries.iter().find_map(|(_, entry)| match entry {
            Entry::Key(key) => Some(key),
            Entry::Certificate(_) => None,
        })
    }
}

/// The entries up to the digest; `None` if they end before their end.
fn entries<'a>(cursor: &mut Cursor<'a>) -> Option<Vec<(&'a [u8], Entry<'a>)>> {
    cursor.take(MAGIC.len())?;
    // Since version 2 certificates have a type.
    let is_typed = match cursor.number()? {
        1 => false,
        2 => true,
        _ => return None,
    };
    let certificate = |cursor: &mut Cursor<'a>| {
        if is_typed {
            cursor.text()?;
        }
        cursor.bytes()
    };
    let mut entries = Vec::new();
    for _ in 0..cursor.number()? {
        let tag = cursor.number()?;
        let alias = cursor.text()?;
        cursor.take(size_of::<u64>())?;
        let entry = match tag {
            1 => {
                let protected = cursor.bytes()?;
                let mut chain = Vec::new();
                for _ in 0..cursor.number()? {
                    chain.push(certificate(cursor)?);
                }
                Entry::Key(KeyEntry { protected, chain })
            }
            2 => Entry::Certificate(certificate(cursor)?),
            _ => return None,
        };
        entries.push((alias, entry));
    }
    // In a file they are in the order of a hash table.
    entries.sort_by_key(|(alias, _)| *alias);
    Some(entries)
}

impl KeyEntry<'_> {
    /// The key in PKCS #8: each 20 bytes of it are masked by a SHA-1 of the password and the 20 before, of which the first is a
    /// salt; and a SHA-1 of the password and the key tells whether it was the right one.
    pub(super) fn open(&self, password: &str) -> Result<Vec<u8>, StoreError> {
        let protected = protected(self.protected).ok_or(StoreError::Damaged)?;
        let (salt, rest) = protected.split_at_checked(SHA1_OUTPUT_LEN).ok_or(StoreError::Damaged)?;
        let end = rest.len().checked_sub(SHA1_OUTPUT_LEN).ok_or(StoreError::Damaged)?;
        let (masked, check) = rest.split_at(end);
        let password = utf16(password);
        let mut key = Vec::with_capacity(masked.len());
        let mut mask = sha1(&[&password, salt]);
        for (number, chunk) in masked.chunks(SHA1_OUTPUT_LEN).enumerate() {
            if number > 0 {
                mask = sha1(&[&password, mask.as_ref()]);
            }
            key.extend(chunk.iter().zip(mask.as_ref()).map(|(byte, mask)| byte ^ mask));
        }
        if sha1(&[&password, &key]).as_ref() == check { Ok(key) } else { Err(StoreError::KeyPassword) }
    }
}

/// What an `EncryptedPrivateKeyInfo` of Sun's key protector (RFC 5958 section 3) holds.
fn protected(der: &[u8]) -> Option<&[u8]> {
    let mut reader = SliceReader::new(der).ok()?;
    let (algorithm, data) = reader
        .sequence(|fields| -> pkcs8::der::Result<_> {
            Ok((AlgorithmIdentifierRef::decode(fields)?, <&OctetStringRef>::decode(fields)?))
        })
        .ok()?;
    (algorithm.oid.to_string() == KEY_PROTECTOR).then_some(data.as_bytes())
}

/// As Java hashes a password.
fn utf16(password: &str) -> Vec<u8> {
    password.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

fn sha1(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    parts.iter().for_each(|part| context.update(part));
    context.finish()
}

/// What of a store is still to be read, as Java's `DataInputStream` reads it.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        self.take(size_of::<u32>())?.try_into().ok().map(u32::from_be_bytes)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length: [u8; 2] = self.take(size_of::<u16>())?.try_into().ok()?;
        self.take(usize::from(u16::from_be_bytes(length)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key and a trusted certificate, by Java's `keytool`: the store opens with `store-pass`, the key with `key-pass`.
    const STORE: &[u8] = include_bytes!("java.jks");

    #[test]
    fn a_store_of_javas_is_read() {
        for password in [None, Some("store-pass")] {
            let store = Jks::read(STORE, password).unwrap();
            let aliases: Vec<_> = store.entries.iter().map(|(alias, _)| *alias).collect();
            assert_eq!(aliases, [&b"authority"[..], b"client"]);
            let key = store.key().unwrap();
            assert_eq!((store.certificates().len(), key.chain.len()), (2, 1));
            assert!(pkcs8::PrivateKeyInfoRef::try_from(&*key.open("key-pass").unwrap()).is_ok());
            assert!(matches!(key.open("store-pass"), Err(StoreError::KeyPassword)));
        }
        assert!(matches!(Jks::read(STORE, Some("")), Err(StoreError::StorePassword)));
        assert!(matches!(Jks::read(STORE, Some("key-pass")), Err(StoreError::StorePassword)));
    }

    #[test]
    fn a_store_that_is_cut_off_is_told_wherever_that_is() {
        for length in 0..STORE.len() {
            for password in [None, Some("store-pass")] {
                assert!(matches!(Jks::read(&STORE[..length], password), Err(StoreError::Damaged)), "{length}");
            }
        }
        let longer = [STORE, b"0"].concat();
        assert!(matches!(Jks::read(&longer, None), Err(StoreError::Damaged)));
    }

    #[test]
    fn a_store_that_was_changed_is_told_wherever_that_is() {
        let mut changed = STORE.to_vec();
        for place in 0..STORE.len() {
            changed[place] ^= 0x55;
            let told = Jks::read(&changed, Some("store-pass")).err();
            // Its very first bytes are seen before.
            let is_magic = place < MAGIC.len();
            assert!(is_magic || matches!(told, Some(StoreError::Damaged | StoreError::StorePassword)), "{place}");
            // Without the store's password the key still has its own check.
            if let Ok(store) = Jks::read(&changed, None)
                && let Some(Ok(key)) = store.key().map(|key| key.open("key-pass"))
            {
                let whole = Jks::read(STORE, None).unwrap();
                assert_eq!(key, whole.key().unwrap().open("key-pass").unwrap(), "{place}");
            }
            changed[place] = STORE[place];
        }
    }
}
