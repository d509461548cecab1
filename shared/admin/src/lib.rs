//! Who may administer: the password with one-time codes, or whom an OpenID provider knows; attempts to sign in, and
//! sessions. Table `Admin` is this crate's.
//!
//! A page needs one value, [`Admin`], and hands it what the browser presents, a [`Browser`]:
//!
//! - [`Admin::prompt`] says what to ask for, [`Admin::sign_in`] takes it and gives the values of two cookies.
//! - [`Admin::find_session`] at every request, and [`Session::is_csrf_token`] at every one that changes something.
//! - [`Admin::sign_out`] and [`Admin::sign_out_everywhere`].
//! - [`Admin::set_up`] for the first password, and for a new one when it is forgotten; [`Admin::change_password`].
//! - [`OneTimeSecret::generate`], then [`Admin::one_time_codes_on`] and [`Admin::one_time_codes_off`].
//!
//! With an OpenID provider it is an `Admin<ProviderSignIn>`, where [`Admin::begin`] and [`Admin::arrive`] come before
//! signing in, and there is no password.
//!
//! What is wrong with what was presented is a [`Verdict`]. What is wrong with us is a [`domain::Error`], and then nobody
//! is let in. Of session ids, device ids, handshakes and setup tokens only hashes are stored, and of the
//! password only argon2id's. The secret of
//! one-time codes is stored as it is, since codes are computed from it: the table is encrypted at rest.

mod admin;
mod attempts;
mod constant_time;
mod credential;
mod handshake;
mod listed;
mod one_time_code;
mod opaque;
mod password;
mod password_sign_in;
mod provider_sign_in;
mod session;
mod sign_in;

pub use admin::{Admin, SignedIn};
pub use listed::{Listed, ListedError};
pub use one_time_code::OneTimeSecret;
pub use opaque::{DeviceId, HandshakeId, SessionId};
pub use password_sign_in::{PasswordProof, PasswordSignIn};
pub use provider_sign_in::{Arrival, Begun, Identity, ProviderSettings, ProviderSignIn, Returned};
pub use session::Session;
pub use sign_in::{Browser, Principal, Prompt, Proven, SignIn, Verdict};
