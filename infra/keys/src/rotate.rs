//! `rotate`: a new key in the place of another.

use auth::Registry;
use jiff::SignedDuration;

use crate::keyring::Keyring;
use crate::output::{self, note, visible};
use crate::problem::Problem;
use crate::settings::{Overlap, Rotate};

/// Begins a rotation, or ends or undoes the one under way.
pub(crate) async fn rotate(wanted: &Rotate, keyring: &Keyring) -> Result<(), Problem> {
    let (registry, by, id) = (&keyring.registry, &keyring.by, wanted.id.to_string());
    if wanted.end {
        let old = registry.end_rotation(&id, by).await?;
        note(&format!("{} ({id}) is refused from now on.", visible(&old.name)));
        return Ok(());
    }
    if wanted.undo {
        let old = registry.undo_rotation(&id, by).await?;
        note(&format!("{} ({id}) stays; the key that was to take its place is disabled.", visible(&old.name)));
        return Ok(());
    }
    let overlap = match wanted.overlap {
        Overlap::None => SignedDuration::ZERO,
        Overlap::Hour => SignedDuration::from_hours(1),
        Overlap::Day => SignedDuration::from_hours(24),
        Overlap::Week => SignedDuration::from_hours(7 * 24),
    };
    let (key, successor, old) = registry.rotate(&id, &Registry::new_id(), overlap, by).await?;
    output::new_key(&key, &successor)?;
    note(&match old.retires_at.filter(|_| !overlap.is_zero()) {
        Some(at) => format!("The old key, {id}, is accepted until {}.", at.strftime("%Y-%m-%d %H:%M UTC")),
        None => format!("The old key, {id}, is refused from now on."),
    });
    Ok(())
}
