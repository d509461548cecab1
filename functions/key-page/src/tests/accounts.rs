//! The admin's own page.

use std::time::Duration;

use totp_rs::{Algorithm, Builder, Secret};

use super::*;

/// What an app shows that has the secret.
fn code(secret: &str, at: Timestamp) -> String {
    let totp = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_step_duration(30);
    let totp = totp.with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
    totp.generate(u64::try_from(at.as_second()).unwrap()).to_string()
}

#[tokio::test]
async fn another_password_signs_every_other_session_out() {
    let bed = bed().await;
    let (mut client, other) = (bed.signed_in().await, {
        bed.testbed.clock.advance(Duration::from_secs(2));
        bed.signed_in().await
    });
    client.get("").await;
    let change = |current, new, repeated| [("current", current), ("password", new), ("repeated", repeated)];
    let wrong = client.post("account/password", &change("wrong", "another horse", "another horse")).await;
    assert!(wrong.status == 400 && wrong.says("present password is wrong"), "{}", wrong.main());
    bed.testbed.clock.advance(Duration::from_secs(5));
    let wrong = client.post("account/password", &change(PASSWORD, "another horse", "another house")).await;
    assert!(wrong.status == 400 && wrong.says("not the same"), "{}", wrong.main());
    assert_eq!(client.post("account/password", &change(PASSWORD, "short", "short")).await.status, 400);
    let changed = client.post("account/password", &change(PASSWORD, "another horse", "another horse")).await;
    assert_eq!(changed.location(), "/whatsapp/settings/api-keys/account/?done=password", "{}", changed.main());
    assert_eq!(client.get("").await.status, 200);
    assert_eq!(other.clone().get("").await.status, 303);
    bed.testbed.clock.advance(Duration::from_secs(5));
    assert_eq!(bed.client().post("sign-in", &[("password", PASSWORD)]).await.status, 401);
    assert_eq!(bed.trail().await.iter().filter(|action| *action == "password_set").count(), 2);
}

#[tokio::test]
async fn with_one_time_codes_a_password_alone_opens_nothing() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    let page = client.get("account").await;
    let secret = field(&page, "secret");
    assert!(page.says("<svg") && page.says("The secret as a QR code"), "{}", page.main());
    let wrong = client.post("account/codes-on", &[("secret", &secret), ("code", "000000")]).await;
    assert!(wrong.status == 400 && wrong.says("This code is wrong") && wrong.says(&secret), "{}", wrong.main());
    let first = code(&secret, bed.now());
    let on = client.post("account/codes-on", &[("secret", &secret), ("code", &first)]).await;
    assert_eq!(on.location(), "/whatsapp/settings/api-keys/account/?done=codes-on", "{}", on.main());
    assert!(!client.get("account").await.says(&secret), "it is never shown again");

    bed.testbed.clock.advance(Duration::from_mins(1));
    let sign_in = async |password: &str, code: &str| {
        bed.testbed.clock.advance(Duration::from_mins(16));
        bed.client().post("sign-in", &[("password", password), ("code", code)]).await
    };
    assert!(bed.client().get("sign-in").await.says("One-time code"));
    for (password, code) in [(PASSWORD, String::new()), (PASSWORD, "000000".to_owned()), (PASSWORD, first)] {
        let answer = sign_in(password, &code).await;
        assert!(answer.status == 401 && answer.says("The password or the code is wrong."), "{}", answer.main());
    }
    bed.testbed.clock.advance(Duration::from_mins(16));
    let now = code(&secret, bed.now());
    let spaced = format!("{} {}", &now[..3], &now[3..]);
    let mut client = bed.client();
    assert_eq!(client.post("sign-in", &[("password", PASSWORD), ("code", &spaced)]).await.status, 303);
    client.get("account").await;
    bed.testbed.clock.advance(Duration::from_mins(1));
    let off = client.post("account/codes-off", &[("code", &code(&secret, bed.now()))]).await;
    assert_eq!(off.location(), "/whatsapp/settings/api-keys/account/?done=codes-off", "{}", off.main());
    assert!(!bed.client().get("sign-in").await.says("One-time code"));
    let trail = bed.trail().await;
    assert!(["one_time_codes_on", "one_time_codes_off"].iter().all(|action| trail.iter().any(|told| told == action)));
}

#[tokio::test]
async fn a_secret_that_is_none_is_refused() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    client.get("").await;
    for secret in ["", "JBSWY3DP", "not base32!", "0189"] {
        let answer = client.post("account/codes-on", &[("secret", secret), ("code", "000000")]).await;
        assert_eq!(answer.status, 400, "{secret}");
    }
}
