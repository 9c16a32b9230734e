//! Help, man page and completion of all commands, in the programs that read them.

use crate::around::pj_in;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

fn page(line: &str) -> String {
    pj_in(Path::new("/"), line).ok()
}

/// What a program says of its input: output, then errors.
fn tell(words: &[&str], input: &str) -> (String, String) {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.spawn().unwrap_or_else(|e| panic!("{}: {e}: cargo xtask test installs it", words[0]));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(out.stdout), text(out.stderr))
}

#[test]
fn every_command_has_a_page() {
    let all = page("--help");
    for command in
        ["lint", "dump", "query", "where", "diff", "create domain", "export kea", "hook pre-receive"]
    {
        assert!(all.lines().any(|l| l.trim_start().starts_with(command)), "{command}");
        let own = page(&format!("{command} --help"));
        assert!(own.starts_with(&format!("Usage: pj {command} ")) && own.contains("Exit codes:"), "{own}");
    }
    assert!(page("--version").starts_with("pj "));
    let (_, said) = tell(&["groff", "-man", "-Tutf8", "-ww"], &page("--man"));
    assert_eq!(said, "");
}

#[test]
fn shells_complete_commands_and_their_options() {
    let bash = page("--completion bash");
    let ask = |words: &str, at: usize| {
        let list: String = words.split(' ').map(|w| format!("'{w}' ")).collect();
        let probe = format!(
            "{bash}\nCOMP_WORDS=({list}); COMP_CWORD={at}; _brine_pj 2>/dev/null; echo \"${{COMPREPLY[@]}}\"\n"
        );
        tell(&["bash", "-s"], &probe).0.trim().to_owned()
    };
    assert_eq!(ask("pj du", 1), "dump");
    assert_eq!(ask("pj create ", 2), "domain system interface");
    assert_eq!(ask("pj export k", 2), "kea knot");
    assert_eq!(ask("pj export knot --ser", 3), "--serial");
    assert_eq!(ask("pj dump x --pos", 3), "--position");
    assert_eq!(ask("pj export knot --knot ", 4), "1 2");
    for (shell, words) in [("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])] {
        let (_, said) = tell(&words, &page(&format!("--completion {shell}")));
        assert_eq!(said, "", "{shell}");
    }
    let fish = page("--completion fish");
    let ask = |line: &str| tell(&["fish", "--no-config"], &format!("{fish}\ncomplete -C '{line}'\n")).0;
    assert!(ask("pj quer").starts_with("query\t"), "{}", ask("pj quer"));
    assert!(ask("pj create dom").starts_with("domain\t"), "{}", ask("pj create dom"));
    let options = ask("pj export knot --");
    assert!(options.contains("--serial") && !options.contains("--dhcp6"), "{options}");
}
