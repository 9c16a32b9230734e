//! `strftime` and `date_format`. As in stock without `timelib`, dates in words are not read.

use brine_core::clock::Clock;
use brine_jinja::{State, Table};
use brine_python::time::{Date, DateTime};
use brine_python::{Args, Kind, Obj, PyErr, R, Signature, call_method, float, int, str};

pub(super) fn add(table: &mut Table) {
    table.insert("strftime", strftime);
    table.insert("date_format", strftime);
}

fn strftime(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("strftime", 0, &["date", "format"], 0);
    let a = SIG.bind(args)?;
    let format = a.get(1).cloned().unwrap_or_else(|| Obj::str("%Y-%m-%d"));
    let date = match a.at(0) {
        Obj::None => local(brine_core::clock::unix_now())?,
        date @ Obj::DateTime(_) => date.clone(),
        other => cast(other)?,
    };
    call_method(&date, "strftime", &Args::of([format]))
}

fn cast(date: &Obj) -> R {
    let mut date = date.clone();
    if let Some(text) = date.as_str() {
        let digits = call_method(&date, "isdigit", &Args::default())?;
        let number = if matches!(digits, Obj::Bool(true)) {
            int(&Obj::str(text), None)
        } else {
            float(&Obj::str(text)).map(Obj::Float)
        };
        match number {
            Ok(number) => date = number,
            Err(_) => return Err(unable(&date)),
        }
    }
    let seconds = match &date {
        Obj::Bool(_) | Obj::Int(_) | Obj::Float(_) => float(&date).ok(),
        _ => None,
    };
    seconds.and_then(|s| local(s).ok()).ok_or_else(|| unable(&date))
}

fn unable(date: &Obj) -> PyErr {
    match str(date) {
        Ok(text) => {
            PyErr::new(Kind::RuntimeError, format!("Unable to parse {text}. Consider installing timelib"))
        }
        Err(e) => e,
    }
}

/// `datetime.fromtimestamp`: the wall's clock, rounded half to even.
fn local(seconds: f64) -> R {
    let out_of_range = || PyErr::value("year is out of range");
    if !seconds.is_finite() || seconds.abs() > 4e11 {
        return Err(out_of_range());
    }
    let mut whole = seconds.floor();
    let mut micros = ((seconds - whole) * 1e6).round_ties_even();
    if micros >= 1e6 {
        whole += 1.0;
        micros -= 1e6;
    }
    let clock = Clock::local(whole as i64);
    let date = Date::new(clock.year, clock.month.into(), clock.day.into())?;
    Ok(DateTime::naive(date, [clock.hour, clock.minute, clock.second, micros as u32]))
}
