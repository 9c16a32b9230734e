//! `progress`: the bar that `salt --progress` draws on standard error, as the Python package `progressbar` 2.5 has it.
//!
//! Only text: the caller counts returns, measures time and writes. Stock leaves the line without a line end.

/// The bar of one job.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Minions that are to return; as many as have, where more do (those behind a syndic are not counted before).
    minions: u64,
    /// As stock has it in the text: never changed.
    label: u64,
    /// The return count at which the bar is drawn again.
    next: f64,
    /// How much a bar must grow to be drawn again before a second has passed.
    step: f64,
    drawn_at: f64,
}

/// Columns where the terminal's size is not known.
pub const DEFAULT_COLUMNS: usize = 79;

impl Progress {
    /// A bar for so many minions on a terminal of so many columns, and the text to draw first.
    pub fn start(minions: u64, columns: usize) -> (Self, String) {
        let step = minions as f64 / columns.max(100) as f64;
        let mut bar = Self { minions, label: minions, next: 0.0, step, drawn_at: 0.0 };
        let first = bar.update(0, 0.0, columns).unwrap_or_default();
        (bar, first)
    }

    /// What to write when so many have returned after so many seconds: none if the bar need not be drawn.
    pub fn update(&mut self, returns: u64, seconds: f64, columns: usize) -> Option<String> {
        self.minions = self.minions.max(returns);
        let returned = returns as f64;
        if returned < self.next && seconds - self.drawn_at <= 1.0 {
            return None;
        }
        self.next = returned + self.step;
        self.drawn_at = seconds;
        Some(self.line(returns, seconds, columns) + "\r")
    }

    fn line(&self, returns: u64, seconds: f64, columns: usize) -> String {
        let (returned, minions) = (returns as f64, self.minions as f64);
        let percent = if returns >= self.minions { 100.0 } else { returned * 100.0 / minions };
        let head = format!("{:3}% ", percent as u64);
        let tail = format!(" Elapsed Time: {} Returns: [{returns}/{}]", elapsed(seconds), self.label);
        let room = columns.saturating_sub(head.len() + tail.len()).saturating_sub(2);
        let marks = if self.minions == 0 { 0.0 } else { returned / minions * room as f64 };
        let bar = format!("|{:<room$}|", "#".repeat(marks as usize));
        format!("{:<columns$}", format!("{head}{bar}{tail}"))
    }
}

/// Python's `str(timedelta(seconds=...))`.
fn elapsed(seconds: f64) -> String {
    let total = seconds as u64;
    let (days, rest) = (total / 86400, total % 86400);
    let clock = format!("{}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    match days {
        0 => clock,
        1 => format!("1 day, {clock}"),
        n => format!("{n} days, {clock}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines measured with progressbar 2.5 on 80 columns.
    #[test]
    fn bars_are_those_of_the_package() {
        for (minions, returns, seconds, line) in
            include_str!("../../tests/data/progress.txt").lines().map(|line| {
                let mut parts = line.splitn(4, '\t');
                let mut next = || parts.next().unwrap_or_default();
                (
                    next().parse().unwrap_or(0),
                    next().parse().unwrap_or(0),
                    next().parse().unwrap_or(0.0),
                    next(),
                )
            })
        {
            let (mut bar, first) = Progress::start(minions, 80);
            let text =
                if returns == 0 && seconds == 0.0 { Some(first) } else { bar.update(returns, seconds, 80) };
            assert_eq!(text.as_deref(), Some(format!("{line}\r").as_str()), "{minions} {returns} {seconds}");
        }
    }

    #[test]
    fn a_bar_is_drawn_when_it_grows_or_a_second_has_passed() {
        let (mut bar, _) = Progress::start(1000, 80);
        assert!(bar.update(10, 0.1, 80).is_some());
        assert!(bar.update(11, 0.2, 80).is_none());
        assert!(bar.update(12, 1.2, 80).is_some());
        assert!(bar.update(22, 1.3, 80).is_some());
    }
}
