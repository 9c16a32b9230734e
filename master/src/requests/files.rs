//! `_file_*`: the answers of a master without a single file, in stock's shapes. The file server proper comes later and
//! takes this file's place; until then a minion finds nothing, which every minion copes with.

use brine_protocol::command::MinionCommand;
use brine_protocol::{Map, Value, map};

pub(super) fn answer(command: MinionCommand, _load: &Map) -> Value {
    use MinionCommand as C;
    match command {
        C::FileEnvs => Value::List(vec!["base".into()]),
        C::FileFind => map! {"path" => "", "rel" => ""}.into(),
        C::FileHash => "".into(),
        C::FileHashAndStat => Value::List(vec!["".into(), Value::Nil]),
        C::ServeFile => map! {"data" => "", "dest" => ""}.into(),
        C::FileList | C::FileListEmptydirs | C::DirList => Value::List(Vec::new()),
        C::SymlinkList => Map::new().into(),
        // `file_recv` is off by default, and nothing else is offered.
        C::FileRecv => false.into(),
        _ => Map::new().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cve_2024_22232_no_path_of_a_minion_reaches_a_file_system() {
        // From any directory that the tests may run in.
        for path in ["/etc/passwd", &format!("{}etc/passwd", "../".repeat(40))] {
            let load = map! {"path" => path, "saltenv" => "base", "loc" => 0};
            assert_eq!(answer(MinionCommand::ServeFile, &load), map! {"data" => "", "dest" => ""}.into());
            assert_eq!(answer(MinionCommand::FileFind, &load), map! {"path" => "", "rel" => ""}.into());
            assert_eq!(answer(MinionCommand::FileHash, &load), "".into());
        }
    }

    #[test]
    fn cve_2024_38824_nothing_is_received() {
        let load = map! {"path" => vec!["..", "..", "x"], "loc" => 0, "data" => "x"};
        assert_eq!(answer(MinionCommand::FileRecv, &load), false.into());
    }
}
