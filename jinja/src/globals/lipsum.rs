//! `lipsum`: filling text.

use crate::filters::random_below;
use crate::markup::Markup;
use brine_python::{Args, Kind, Obj, PyErr, R, Signature, int, need_bytes, take_steps, truth};

/// The words of the text.
const WORDS: &str = "a ac accumsan ad adipiscing aenean aliquam aliquet amet ante aptent arcu at auctor augue \
bibendum blandit class commodo condimentum congue consectetuer consequat conubia convallis cras cubilia cum curabitur \
curae cursus dapibus diam dictum dictumst dignissim dis dolor donec dui duis egestas eget eleifend elementum elit enim \
erat eros est et etiam eu euismod facilisi facilisis fames faucibus felis fermentum feugiat fringilla fusce gravida \
habitant habitasse hac hendrerit hymenaeos iaculis id imperdiet in inceptos integer interdum ipsum justo lacinia lacus \
laoreet lectus leo libero ligula litora lobortis lorem luctus maecenas magna magnis malesuada massa mattis mauris metus \
mi molestie mollis montes morbi mus nam nascetur natoque nec neque netus nibh nisi nisl non nonummy nostra nulla nullam \
nunc odio orci ornare parturient pede pellentesque penatibus per pharetra phasellus placerat platea porta porttitor \
posuere potenti praesent pretium primis proin pulvinar purus quam quis quisque rhoncus ridiculus risus rutrum sagittis \
sapien scelerisque sed sem semper senectus sit sociis sociosqu sodales sollicitudin suscipit suspendisse taciti tellus \
tempor tempus tincidunt torquent tortor tristique turpis ullamcorper ultrices ultricies urna ut varius vehicula vel \
velit venenatis vestibulum vitae vivamus viverra volutpat vulputate";

/// `random.randrange(from, to)`.
fn randrange(from: i64, to: i64) -> R<i64> {
    let width = i128::from(to) - i128::from(from);
    match u64::try_from(width) {
        Ok(width) if width > 0 => Ok(from.wrapping_add(random_below(width) as i64)),
        _ => Err(PyErr::value(format!("empty range for randrange() ({from}, {to}, {width})"))),
    }
}

/// A number that `randrange` takes: whole, also as a `float`.
fn whole(value: &Obj, what: &str) -> R<i64> {
    match brine_python::index(value) {
        Err(e) if e.kind() == Kind::TypeError => {
            let number = int(value, None)?;
            if !brine_python::eq(&number, value)? {
                return Err(PyErr::value(format!("non-integer {what} for randrange()")));
            }
            brine_python::index(&number)
        }
        done => done,
    }
}

fn paragraph(words: &[&str], count: i64) -> R<String> {
    let mut out = String::new();
    let (mut capital, mut comma, mut stop) = (true, 0, 0);
    let mut last = "";
    for at in 0..count {
        take_steps(1)?;
        let mut word = last;
        while word == last {
            word = words[random_below(words.len() as u64) as usize];
        }
        last = word;
        if at > 0 {
            out.push(' ');
        }
        let (head, tail) = word.split_at(1);
        out.push_str(&if capital { head.to_uppercase() } else { head.to_owned() });
        out.push_str(tail);
        capital = false;
        if at - randrange(3, 8)? > comma {
            comma = at;
            stop += 2;
            out.push(',');
        }
        if at - randrange(10, 20)? > stop {
            (comma, stop) = (at, at);
            out.push('.');
            capital = true;
        }
        need_bytes(word.len() + 3)?;
    }
    if out.ends_with(',') {
        out.pop();
    }
    if !out.ends_with('.') {
        out.push('.');
    }
    Ok(out)
}

pub(super) fn lipsum(args: &Args) -> R {
    const S: Signature = Signature::new("generate_lorem_ipsum", 0, &["n", "html", "min", "max"], 0);
    let args = S.bind(args)?;
    let number = |at: usize, default: i64| args.get(at).cloned().unwrap_or(Obj::Int(default));
    let words: Vec<&str> = WORDS.split(' ').collect();
    let mut paragraphs = Vec::new();
    for _ in 0..brine_python::index(&number(0, 5))? {
        let (min, max) = (whole(&number(2, 20), "arg 1")?, number(3, 100));
        let count = match max {
            // Without an end, the other number is the end.
            Obj::None if min <= 0 => return Err(PyErr::value("empty range for randrange()")),
            Obj::None => randrange(0, min)?,
            max => randrange(min, whole(&max, "stop")?)?,
        };
        paragraphs.push(paragraph(&words, count)?);
    }
    if !args.get(1).map_or(Ok(true), truth)? {
        return Ok(paragraphs.join("\n\n").into());
    }
    let paragraphs: Vec<String> = paragraphs.iter().map(|text| format!("<p>{text}</p>")).collect();
    Ok(Markup::new(paragraphs.join("\n")))
}
