//! Which addresses the APIs and token endpoints may be at.

use std::net::IpAddr;

use ipnet::IpNet;

use super::kind::{BOOLEAN, Kind};
use super::property::{Property, properties};
use super::reader::Reader;
use crate::http::AddressFilter;

const RANGES: Kind<Vec<IpNet>> = Kind::Text {
    type_name: "list",
    expected: "a comma-separated list of ranges of addresses, such as `10.0.0.0/8,2001:db8::/32`",
    parse: |text| {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        words.map(|word| word.parse().ok().or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from))).collect()
    },
};

properties! {
    LOCAL: bool = Property::new(
        "connection.disallow.local.ips",
        BOOLEAN,
        "Whether APIs and token endpoints must not be at addresses of this machine (`127.0.0.0/8`, `0.0.0.0/8`, `::1`, `::`) or of \
         its link (`169.254.0.0/16`, `fe80::/10`). Checked for each connection, after the name has been resolved: of several \
         addresses, those are left that it may be at. With `http.proxy.host` the proxy resolves names, so that only an address \
         in place of a name is checked; the proxy itself may be anywhere.",
    ).default("false");
    PRIVATE: bool = Property::new(
        "connection.disallow.private.ips",
        BOOLEAN,
        "The same for addresses of private networks: `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16`, `fc00::/7`, `fec0::/10`.",
    ).default("false");
    CLASS_E: bool = Property::new(
        "connection.disallow.class.e.ips",
        BOOLEAN,
        "The same for reserved addresses: `240.0.0.0/4`.",
    ).default("false");
    DISALLOWED: Vec<IpNet> = Property::new(
        "connection.disallow.cidr.ranges",
        RANGES,
        "The same for ranges of addresses, in CIDR notation (RFC 4632), separated by commas.",
    );
    ALLOWED: Vec<IpNet> = Property::new(
        "connection.allow.cidr.ranges",
        RANGES,
        "Ranges of addresses that are excepted from the other four properties.",
    );
}

/// Reads which addresses must not be connected to.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<AddressFilter> {
    let (local, private, class_e) = (reader.get(&LOCAL), reader.get(&PRIVATE), reader.get(&CLASS_E));
    let mut ranges = |property| reader.get(property).or((!reader.is_set(property)).then(Vec::new));
    let (ranges, exceptions) = (ranges(&DISALLOWED), ranges(&ALLOWED));
    let filter =
        AddressFilter { local: local?, private: private?, class_e: class_e?, ranges: ranges?, exceptions: exceptions? };
    if !filter.exceptions.is_empty() && !filter.is_active() {
        tracing::warn!(property = ALLOWED.name(), "the property has no effect, because no address is disallowed");
    }
    Some(filter)
}
