//! What a server is started with.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::data_keys::DataKeys;

/// What a server is started with.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Where it listens, and who may ask.
    pub address: Address,
    /// Bytes of a request, at most.
    pub body_bytes: usize,
    /// Pairs of a request, at most; also revisions of two drafts.
    pub pairs: usize,
    /// Requests that wait for the model, at most; further ones are refused.
    pub queue: usize,
    /// How long a request may take.
    pub timeout: Duration,
    /// Which keys of a Label Studio task hold the texts; otherwise they are guessed.
    pub data_keys: Option<DataKeys>,
}

/// Where a server listens: other machines are let in only with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    socket: SocketAddr,
    token: Option<String>,
}

/// An address that other machines reach, without a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is reached from other machines, so whoever asks has to show a token")]
pub struct UnsafeAddress(pub SocketAddr);

impl Address {
    /// An address, with the token that requests have to show if one is given.
    ///
    /// # Errors
    /// When other machines reach the address and there is no token.
    pub fn new(socket: SocketAddr, token: Option<String>) -> Result<Address, UnsafeAddress> {
        let token = token.filter(|token| !token.is_empty());
        match token.is_some() || socket.ip().is_loopback() {
            true => Ok(Address { socket, token }),
            false => Err(UnsafeAddress(socket)),
        }
    }

    /// Where it is.
    pub fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// What requests have to show, if they have to.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Whether only this machine reaches it.
    pub fn is_loopback(&self) -> bool {
        self.socket.ip().is_loopback()
    }
}

/// Whether a request's `Host` names this machine itself; a page of another site that has a name of its own point here can't.
pub(super) fn names_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(address, _)| address),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_machines_need_a_token() {
        let open: SocketAddr = "0.0.0.0:80".parse().unwrap();
        assert!(Address::new(open, None).unwrap_err().to_string().contains("has to show a token"));
        assert!(Address::new(open, Some(String::new())).is_err());
        assert_eq!(Address::new(open, Some("secret".into())).unwrap().token(), Some("secret"));
        assert!(Address::new("[::1]:80".parse().unwrap(), None).unwrap().is_loopback());
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for own in ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.9.9.9", "[::1]:8080"] {
            assert!(names_loopback(own), "{own}");
        }
        for other in
            ["", "example.org", "example.org:80", "127.0.0.1.example.org", "[fe80::1]:80", "10.0.0.1"]
        {
            assert!(!names_loopback(other), "{other}");
        }
    }
}
