//! What functions return, on its way to the command line and the event bus.

use serde_json::{Value, json};

use crate::bus::Bus;
use crate::failure::{Result, hold, same};
use crate::fleet::{Fleet, START};

/// Size of the return of the routine run.
const BIG: usize = 8 << 20;

/// Values of every type come back as they are.
pub fn types(fleet: &mut Fleet) -> Result {
    let table = [
        ("test.ping", vec![], json!(true)),
        ("test.true", vec![], json!(true)),
        ("test.false", vec![], json!(false)),
        ("test.echo", vec!["é 漢 🧂"], json!("é 漢 🧂")),
        ("test.echo", vec!["None"], Value::Null),
        ("test.echo", vec!["[1, 2.5, null, {a: []}]"], json!([1, 2.5, null, {"a": []}])),
        ("test.echo", vec!["-5"], json!(-5)),
        ("test.echo", vec!["'"], json!("'")),
        ("cmd.run", vec!["printf 'a\\nb\\n\\n'"], json!("a\nb")),
    ];
    for (function, args, want) in table {
        let mut words = vec!["--", "m1", function];
        words.extend(args);
        let ran = fleet.salt(&words)?;
        same(&format!("{words:?}"), ran.ret("m1")?, want)?;
    }
    Ok(())
}

/// Bytes that are no text arrive on the bus as bytes, unchanged.
pub fn binary(fleet: &mut Fleet) -> Result {
    let bus = Bus::listen(fleet)?;
    fleet.salt(&["--async", "m1", "hashutil.base64_decodestring", "/wAB/soKDQB/gA=="])?.ok()?;
    let event = bus.wait("the return", START, |e| {
        e.tag.ends_with("/ret/m1") && e.data["fun"] == "hashutil.base64_decodestring"
    })?;
    same("bytes", &event.data["return"], &json!({"__bytes__": "ff0001feca0a0d007f80"}))
}

/// Several mebibytes in one return, with `max_event_size` raised as stock needs it for that.
pub fn eight_mebibytes(fleet: &mut Fleet) -> Result {
    sized(fleet, BIG)
}

/// Of a return above `max_event_size` only a word is shown; one below it comes whole.
///
/// # Errors
/// When it is otherwise.
pub fn cut(fleet: &Fleet) -> Result {
    for (size, shown) in [(2 << 20, "VALUE_TRIMMED".to_owned()), (1 << 19, "x".repeat(1 << 19))] {
        let line = format!("head -c {size} /dev/zero | tr '\\0' x");
        let ran = fleet.salt(&["-t", "60", "m1", "cmd.run", &line])?;
        let got = ran.ret("m1")?;
        hold(got == json!(shown), || format!("{size} bytes are shown as {:.60}", got.to_string()))?;
    }
    Ok(())
}

/// A return of `size` bytes of text comes back whole.
///
/// # Errors
/// When it does not, or not within the timeout.
pub fn sized(fleet: &Fleet, size: usize) -> Result {
    let line = format!("head -c {size} /dev/zero | tr '\\0' x");
    let ran = fleet.salt(&["-t", "240", "m1", "cmd.run", &line])?;
    let got = ran.ret("m1")?;
    let text = got.as_str().unwrap_or_default();
    eprintln!(
        "     {} MiB in {:.1} s, master {} x minion {}",
        size >> 20,
        ran.took.as_secs_f32(),
        fleet.master,
        fleet.minion
    );
    hold(text.len() == size && text.bytes().all(|b| b == b'x'), || {
        format!("wanted {size} bytes, got {}: {:.60}", text.len(), got.to_string())
    })
}
