//! What an administrator does beside a running server, or before its first start: users, tokens,
//! keys, organisations. Functions block; they are for callers without a runtime of their own.

use std::path::Path;

use crate::store::{Result, Store, StoreError, User, check_name, digest, new_id, random_text};

/// Adds a user, or gives one who is there already another password; gives the user's id.
pub fn add_user(data: &Path, name: &str, password: &str) -> Result<i64> {
    with_store(data, async |store| match store.catalogue.user_by_name(name).await? {
        Some(user) => {
            store.set_password(&user, password).await?;
            Ok(user.id)
        }
        None => Ok(store.add_user(name, password).await?.id),
    })
}

/// A new token of a user, which never expires. Only its digest is kept.
pub fn token(data: &Path, name: &str) -> Result<String> {
    with_store(data, async |store| {
        let user = user(&store, name).await?;
        let token = random_text(32);
        store.catalogue.add_token(user.id, &digest(&token)).await?;
        Ok(token)
    })
}

/// A new personal key of a user: its id and its secret, of which only the digest is kept.
pub fn add_personal_key(data: &Path, name: &str) -> Result<(String, String)> {
    with_store(data, async |store| {
        let user = user(&store, name).await?;
        let (id, secret) = (new_id(), random_text(32));
        store.catalogue.add_personal_key(user.id, &id, &digest(&secret)).await?;
        Ok((id, secret))
    })
}

/// Makes a user a member of an organisation, which is there as soon as it has a member.
pub fn join_organisation(data: &Path, name: &str, organisation: &str) -> Result<()> {
    check_name(organisation)?;
    with_store(data, async |store| {
        let user = user(&store, name).await?;
        store.catalogue.join_organisation(user.id, organisation).await
    })
}

async fn user(store: &Store, name: &str) -> Result<User> {
    let user = store.catalogue.user_by_name(name).await?;
    user.ok_or_else(|| StoreError::NoSuchUser(name.to_owned()))
}

fn with_store<T>(data: &Path, work: impl AsyncFnOnce(Store) -> Result<T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { work(Store::open(data).await?).await })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_what_is_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        let id = add_user(data, "ann", "one").unwrap();
        assert_eq!(add_user(data, "ann", "two").unwrap(), id);
        assert!(matches!(add_user(data, "a b", "x"), Err(StoreError::BadName(_))));
        assert_ne!(token(data, "ann").unwrap(), token(data, "ann").unwrap());
        assert!(matches!(token(data, "bob"), Err(StoreError::NoSuchUser(_))));
        add_personal_key(data, "ann").unwrap();
        join_organisation(data, "ann", "org").unwrap();
        join_organisation(data, "ann", "org").unwrap();
    }
}
