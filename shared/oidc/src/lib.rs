//! Signing in by an OpenID Connect provider, as a client that stands alone: the authorization code flow with PKCE
//! (OpenID Connect Core 1.0, RFC 6749, RFC 7636, RFC 9207).
//!
//! A program makes one [`Provider`] and keeps it: it holds the connections, what the provider says of itself, and its
//! keys. For each visitor it makes a [`Handshake`], three secrets that bind the answer to the one who asked:
//!
//! 1. [`Provider::authorization_url`] is where the browser goes.
//! 2. It comes back with a `code` and the handshake's `state`, which the program compares, and perhaps an `iss`, for
//!    [`Provider::must_be_from_here`].
//! 3. [`Provider::redeem`] gives the code for an ID token and checks that: a [`Person`] has no other origin.
//!
//! Keys of ID tokens are taken from the provider over TLS only, and only public ones of the algorithms RS256 and ES256.
//! Nothing of a token or a secret is ever in an [`Error`].

mod discovery;
mod error;
mod http;
mod id_token;
mod keys;
mod provider;

pub use error::{Endpoint, Error, IdTokenError, SetupError};
pub use provider::{Client, Email, Handshake, Person, Provider};
