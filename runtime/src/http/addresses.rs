//! Which addresses may be connected to: a check of those that URLs have in place of a name, and a resolver that keeps from names
//! what they must not lead to.
//!
//! It is asked for each connection, after the name has been resolved: what it checks is what is connected to, so that a name
//! which leads elsewhere the next time is no way around it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use url::{Host, Url};

/// Addresses that must not be connected to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressFilter {
    /// No address of this machine and of its link.
    pub local: bool,
    /// No address of a private network.
    pub private: bool,
    /// No reserved address, of what was class E.
    pub class_e: bool,
    /// None of these.
    pub ranges: Vec<IpNet>,
    /// These all the same.
    pub exceptions: Vec<IpNet>,
}

/// What an address is, that it must not be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    Local,
    Private,
    ClassE,
    InRange(IpNet),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("a local address (`connection.disallow.local.ips`)"),
            Self::Private => f.write_str("a private address (`connection.disallow.private.ips`)"),
            Self::ClassE => f.write_str("a reserved address (`connection.disallow.class.e.ips`)"),
            Self::InRange(range) => write!(f, "in `{range}` (`connection.disallow.cidr.ranges`)"),
        }
    }
}

/// A host that leads to no address that may be connected to.
#[derive(Clone, Debug, Error)]
#[error("`{host}` leads only to what must not be connected to: {}", list(.addresses))]
pub struct DisallowedHost {
    host: String,
    /// At least one.
    addresses: Vec<(IpAddr, String)>,
}

fn list(addresses: &[(IpAddr, String)]) -> String {
    let each = addresses.iter().map(|(address, why)| format!("{address} is {why}"));
    each.collect::<Vec<_>>().join(", ")
}

impl AddressFilter {
    /// Whether there is an address that it refuses.
    pub fn is_active(&self) -> bool {
        self.local || self.private || self.class_e || !self.ranges.is_empty()
    }

    /// Why an address must not be connected to; `None` if it may.
    fn refuses(&self, address: IpAddr) -> Option<Refused> {
        // An IPv4 address may be written as one of IPv6 (RFC 4291 section 2.5.5.2).
        let address = address.to_canonical();
        let is_in = |ranges: &[IpNet]| ranges.iter().find(|range| range.contains(&address)).copied();
        if is_in(&self.exceptions).is_some() {
            return None;
        }
        if self.local && is_local(address) {
            return Some(Refused::Local);
        }
        if self.private && is_private(address) {
            return Some(Refused::Private);
        }
        if self.class_e && matches!(address, IpAddr::V4(v4) if v4.octets()[0] >= 240) {
            return Some(Refused::ClassE);
        }
        is_in(&self.ranges).map(Refused::InRange)
    }

    /// What is left of a host's addresses.
    fn keep(&self, host: &str, addresses: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, DisallowedHost> {
        let (mut kept, mut refused) = (Vec::new(), Vec::new());
        for address in addresses {
            match self.refuses(address.ip()) {
                Some(why) => refused.push((address.ip(), why.to_string())),
                None => kept.push(address),
            }
        }
        refused.sort_unstable();
        refused.dedup();
        match kept.is_empty() && !refused.is_empty() {
            true => Err(DisallowedHost { host: host.to_owned(), addresses: refused }),
            false => Ok(kept),
        }
    }

    /// Checks the host of a URL, if it is an address: those are never resolved.
    pub(super) fn check(&self, url: &Url) -> Result<(), DisallowedHost> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        self.keep(url.host_str().unwrap_or_default(), [SocketAddr::new(address, 0)].into_iter()).map(drop)
    }
}

/// Of this machine (RFC 1122 section 3.2.1.3, RFC 4291 sections 2.5.2 and 2.5.3) or of its link (RFC 3927, RFC 4291 section
/// 2.5.6), where clouds have what they tell a machine of itself.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.octets()[0] == 0 || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unspecified() || v6.is_loopback() || v6.is_unicast_link_local(),
    }
}

/// Of a private network (RFC 1918, RFC 4193, and what RFC 3879 deprecates).
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.segments()[0] & 0xffc0 == 0xfec0,
    }
}

/// The system's resolver, and what a filter leaves of its answers.
#[derive(Debug)]
pub(super) struct FilteringResolver(pub(super) AddressFilter);

impl Resolve for FilteringResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let filter = self.0.clone();
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Addrs = Box::new(filter.keep(name.as_str(), addresses)?.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn addresses_are_refused_by_what_they_are() {
        let filter = |local, private, class_e| AddressFilter { local, private, class_e, ..AddressFilter::default() };
        let (local, private, class_e) =
            (filter(true, false, false), filter(false, true, false), filter(false, false, true));
        for (filter, refused, kept) in [
            (
                &local,
                &["127.0.0.1", "127.255.0.9", "0.0.0.0", "169.254.169.254", "::1", "::", "fe80::1", "::ffff:127.0.0.1"]
                    [..],
                &["10.0.0.1", "128.0.0.1", "fd00::1", "2001:db8::1", "::ffff:8.8.8.8"][..],
            ),
            (
                &private,
                &["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "fec0::1", "::ffff:10.0.0.1"],
                &["127.0.0.1", "172.32.0.1", "192.169.0.1", "11.0.0.1", "fe80::1", "2001:db8::1"],
            ),
            (
                &class_e,
                &["240.0.0.1", "255.255.255.255", "::ffff:240.0.0.1"],
                &["239.255.255.255", "127.0.0.1", "ff02::1"],
            ),
        ] {
            for address in refused {
                assert!(filter.refuses(address.parse().unwrap()).is_some(), "{address}");
            }
            for address in kept {
                assert_eq!(filter.refuses(address.parse().unwrap()), None, "{address}");
            }
            assert!(filter.is_active());
        }
        assert!(!AddressFilter::default().is_active());
    }

    #[test]
    fn ranges_are_refused_and_excepted() {
        let filter = AddressFilter {
            private: true,
            ranges: ranges(&["203.0.113.0/24", "2001:db8::/32"]),
            exceptions: ranges(&["10.1.0.0/16", "203.0.113.7/32"]),
            ..AddressFilter::default()
        };
        for (address, is_refused) in [
            ("203.0.113.1", true),
            ("203.0.113.7", false),
            ("203.0.114.1", false),
            ("2001:db8::1", true),
            ("10.0.0.1", true),
            ("10.1.0.1", false),
        ] {
            assert_eq!(filter.refuses(address.parse().unwrap()).is_some(), is_refused, "{address}");
        }
    }

    #[test]
    fn of_several_addresses_those_are_kept_that_may_be_connected_to() {
        let filter = AddressFilter { local: true, ..AddressFilter::default() };
        let addresses =
            |texts: &[&str]| -> Vec<SocketAddr> { texts.iter().map(|text| text.parse().unwrap()).collect() };
        let some = addresses(&["127.0.0.1:80", "192.0.2.1:80", "[::1]:80", "192.0.2.2:80"]);
        assert_eq!(filter.keep("a", some.into_iter()).unwrap(), addresses(&["192.0.2.1:80", "192.0.2.2:80"]));
        let none = addresses(&["127.0.0.1:80", "[::1]:80", "127.0.0.1:80"]);
        assert_eq!(
            filter.keep("a", none.into_iter()).unwrap_err().to_string(),
            "`a` leads only to what must not be connected to: 127.0.0.1 is a local address \
             (`connection.disallow.local.ips`), ::1 is a local address (`connection.disallow.local.ips`)"
        );
        assert!(filter.keep("a", std::iter::empty()).unwrap().is_empty(), "the resolver tells of that");
    }

    #[test]
    fn addresses_in_urls_are_seen_however_they_are_written() {
        let filter = AddressFilter { local: true, ..AddressFilter::default() };
        for url in [
            "http://127.0.0.1:8080/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
        ] {
            assert!(filter.check(&url.parse().unwrap()).is_err(), "{url}");
        }
        for url in ["http://192.0.2.1/", "http://localhost/"] {
            assert!(filter.check(&url.parse().unwrap()).is_ok(), "{url}");
        }
    }
}
