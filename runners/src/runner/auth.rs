//! Tokens of external authentication.

use brine_core::call::{Cx, KwArgs, Result, exec, module};
use brine_protocol::crypt::HashType;
use brine_store::Tokens;
use brine_store::fs::Dir;

use crate::host::master;

module! { "auth": del_token, mk_token }

/// Make a token for a user whose name and password are given, and the `eauth` that knows them; users may say how many
/// seconds it shall live (`token_expire`) as far as `token_expire_user_override` lets them.
///
/// CLI Example: salt-run auth.mk_token username=saltdev password=saltdev eauth=auto
#[exec]
fn mk_token(cx: &Cx, load: KwArgs) -> Result {
    master(cx)?.side.make_token(load.clean())
}

/// Delete a token by its name; False if there is none.
///
/// CLI Example: salt-run auth.del_token 6556760736e4077daa601baec2b67c24
#[exec]
fn del_token(cx: &Cx, token: String) -> Result<bool> {
    let dir = match cx.opts.str("token_dir") {
        "" => cx.opts.path("cachedir").join("tokens"),
        given => given.into(),
    };
    // The names of tokens that are there are as long as they are.
    Ok(Tokens::at(Dir::at(dir), HashType::default()).remove(&token))
}

#[cfg(test)]
mod tests {
    use crate::fake::{Fake, call};
    use crate::run::Kind;
    use brine_core::call::Args;
    use brine_core::{Map, map};

    #[test]
    fn tokens_are_made_by_the_master_and_deleted_by_name_alone() {
        let (tmp, fake) = (tempfile::tempdir().unwrap(), Fake::default());
        let cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
        let login = map! {"username" => "u", "password" => "p", "eauth" => "pam"};
        let args = Args { keyword: login.clone(), ..Args::none() }.with("__pub_jid", "1");
        assert_eq!(call(&cx, "auth.mk_token", args).unwrap(), map! {"token" => "t"}.into());
        assert_eq!(fake.record.lock().logins, [login]);
        let dir = tmp.path().join("cache/tokens");
        std::fs::create_dir_all(&dir).unwrap();
        let token = "a".repeat(64);
        let del = |token: &str| call(&cx, "auth.del_token", Args::positional([token])).unwrap();
        assert_eq!(del(&token), false.into());
        std::fs::write(dir.join(&token), "").unwrap();
        assert_eq!(del(&token), true.into());
        assert!(!dir.join(&token).exists());
        std::fs::write(tmp.path().join("cache/kept"), "").unwrap();
        assert_eq!(del("../kept"), false.into());
        assert!(tmp.path().join("cache/kept").exists());
    }
}
