//! `_file_*` and kin: what a minion asks of the file server, and what it pushes. Files are read and written aside, so that a slow disk
//! holds up none but those who ask for files, and no more of them at once than [`AT_ONCE`]: each holds one chunk.

use std::sync::Arc;

use brine_protocol::command::MinionCommand;
use brine_protocol::ids::MinionId;
use brine_protocol::request::Authenticated;
use brine_protocol::{Map, Value};
use tokio::sync::Semaphore;

use super::receive;
use crate::master::Master;

/// How many requests for files are in work at once.
const AT_ONCE: usize = 64;

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

pub(super) async fn answer(
    master: &Arc<Master>,
    command: MinionCommand,
    id: &Authenticated<MinionId>,
    load: Map,
) -> Value {
    let Ok(_turn) = TURNS.acquire().await else { return "".into() };
    let (master, id) = (master.clone(), MinionId::clone(id));
    let work = move || match command {
        MinionCommand::FileRecv => receive::store(&master.config.opts, &id, &load).into(),
        _ => master.files.answer(command, &load),
    };
    // What stock's master fails at is answered so.
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| "".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::Opts;
    use brine_files::FileServer;
    use brine_protocol::map;

    #[test]
    fn cve_2024_22232_no_path_of_a_minion_leaves_the_roots() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        std::fs::create_dir_all(at("root/sub")).unwrap();
        std::fs::write(at("root/sub/mine"), "mine").unwrap();
        std::fs::write(at("secret"), "secret").unwrap();
        for link in ["../secret", "/etc/passwd"] {
            std::os::unix::fs::symlink(link, at(&format!("root/{}", link.replace('/', "_")))).unwrap();
        }
        let roots = map! {"base" => vec![at("root")], "__env__" => vec![at("envs/__env__")]};
        let files =
            FileServer::new(&Opts::new(map! {"file_roots" => roots, "fileserver_followsymlinks" => false}));
        let ask = |command, path: &str, saltenv: &str| {
            files.answer(command, &map! {"path" => path, "saltenv" => saltenv, "loc" => 0})
        };
        let mine = ask(MinionCommand::ServeFile, "sub/mine", "base");
        assert_eq!(mine.get("data"), Some(&Value::Bytes(b"mine".to_vec())));
        // Where the tree lies is nobody's business.
        let found = ask(MinionCommand::FileFind, "sub/mine", "base");
        let mine = Some(&Value::from("sub/mine"));
        assert_eq!((found.get("path"), found.get("rel")), (mine, mine));
        let up = "../".repeat(40);
        let paths = [
            "/etc/passwd",
            &at("secret"),
            "../secret",
            "sub/../../secret",
            "sub/..",
            "..",
            "sub/mine/../../secret",
            &format!("{up}etc/passwd"),
            &format!("|{up}etc/passwd"),
            "|/etc/passwd",
            "|../secret",
            ".._secret",
            "_etc_passwd",
            "salt://../secret",
            "secret?saltenv=..",
            "secret?saltenv=../..",
            "root",
            "",
        ];
        for path in paths {
            for saltenv in ["base", "..", "../..", "../../etc", "/etc", "."] {
                let served = ask(MinionCommand::ServeFile, path, saltenv);
                assert_eq!(served, map! {"data" => "", "dest" => ""}.into(), "{path} {saltenv}");
                let found = ask(MinionCommand::FileFind, path, saltenv);
                assert_eq!(found, map! {"path" => "", "rel" => ""}.into(), "{path} {saltenv}");
                assert_eq!(ask(MinionCommand::FileHash, path, saltenv), "".into(), "{path} {saltenv}");
            }
        }
        for saltenv in ["..", "../..", "../../etc", "/etc", "."] {
            let listed = files.answer(MinionCommand::FileList, &map! {"saltenv" => saltenv});
            assert_eq!(listed, Value::List(Vec::new()), "{saltenv}");
        }
    }
}
