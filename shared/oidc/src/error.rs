//! What can go wrong, in words for whoever runs the program. None of it is for the visitor.

use std::fmt;

/// Where at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/.well-known/openid-configuration`, where it says what there is.
    Discovery,
    /// Where the browser goes.
    Authorization,
    /// Where a code is given for tokens.
    Token,
    /// Where its keys are.
    Keys,
    /// Where it tells more of somebody.
    UserInfo,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovery => "discovery document",
            Self::Authorization => "authorization endpoint",
            Self::Token => "token endpoint",
            Self::Keys => "key set",
            Self::UserInfo => "userinfo endpoint",
        })
    }
}

/// Why an address is not one of a provider.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// Not a URL.
    #[error("is not a URL")]
    Url(#[source] url::ParseError),
    /// Plain HTTP, or something else altogether.
    #[error("must begin with https://; http:// is for this very machine")]
    Insecure,
    /// A query, a fragment, a user name or a password.
    #[error("must end with its path and hold no user name")]
    NotPlain,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be built")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No answer, or not a whole one.
    #[error("the provider's {0} can't be reached")]
    Unreachable(Endpoint, #[source] reqwest::Error),
    /// Another status than 200. A redirect is none of those that are followed: there are none.
    #[error("the provider's {0} answered {1}")]
    Status(Endpoint, u16),
    /// More than anybody needs.
    #[error("the provider's {0} answered more than {1} bytes")]
    TooLarge(Endpoint, usize),
    /// Not the JSON that it should be.
    #[error("the answer of the provider's {0} can't be understood: {1}")]
    Malformed(Endpoint, &'static str),
    /// The address of an endpoint is not a URL, or one of plain HTTP.
    #[error("the provider's {0} {1}")]
    Address(Endpoint, #[source] SetupError),
    /// The discovery document is another provider's: its own issuer is told.
    #[error("the provider calls itself {0}, and that is not exactly the issuer of the settings")]
    OtherIssuer(String),
    /// The browser came back from another provider.
    #[error("the answer is another provider's")]
    OtherProvider,
    /// The token endpoint says no, with a code such as `invalid_grant` or `invalid_client`.
    #[error("the provider does not accept the code: {0}")]
    CodeRefused(String),
    /// The ID token proves nothing.
    #[error("the ID token is refused: {0}")]
    IdToken(#[from] IdTokenError),
}

impl Error {
    /// Whether it is about what the visitor brought along, and not about the provider.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::OtherProvider | Self::CodeRefused(_) | Self::IdToken(_))
    }
}

/// Why an ID token proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// Longer than any honest one.
    #[error("it is too long")]
    TooLong,
    /// Not three parts of base64url, not the JSON that it should be, or a claim is missing.
    #[error("it is malformed")]
    Malformed,
    /// Neither RS256 nor ES256.
    #[error("its algorithm is not allowed")]
    Algorithm,
    /// Another kind of token, or one that says that it can't be read without an extension.
    #[error("it is another kind of token")]
    Kind,
    /// The provider has no such key, or several that it could be.
    #[error("the provider has no key for it")]
    UnknownKey,
    /// Not signed by the provider.
    #[error("its signature is wrong")]
    Signature,
    /// From another provider.
    #[error("it is from another issuer")]
    Issuer,
    /// For another client.
    #[error("it is for another client")]
    Audience,
    /// For several clients, and not on behalf of this one.
    #[error("it is for several clients, and not from this one")]
    AuthorizedParty,
    /// Too old.
    #[error("it has expired")]
    Expired,
    /// Issued in the future, or not good yet.
    #[error("it is not good yet")]
    TooEarly,
    /// The answer to somebody else's question.
    #[error("it is not the answer to this handshake")]
    Nonce,
    /// Not together with this access token.
    #[error("it does not belong to its access token")]
    AccessToken,
    /// A subject or an address that can't be one.
    #[error("it names nobody")]
    Subject,
}
