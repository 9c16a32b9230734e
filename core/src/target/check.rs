//! Targets as a master reads them: which accepted minions should answer?
//!
//! A prediction from keys and cached data; the minions decide for themselves. Also what access rules that name
//! minions, and mine requests, are checked with.

use super::compound::{self, Algebra, Token, Word};
use super::ipcidr::Ipcidr;
use super::nodegroup::{MAX_WORDS, nodegroup_comp};
use super::{Anchor, Compare, DEFAULT_TARGET_DELIM, Regex, Search, fnmatch};
use brine_protocol::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a master has cached about a minion.
#[derive(Clone, Debug, Default)]
pub struct FleetData {
    /// Grains, a map.
    pub grains: Arc<Value>,
    /// Pillar, a map.
    pub pillar: Arc<Value>,
}

/// All a master knows about its minions.
pub trait Fleet {
    /// The names of the accepted keys, sorted ignoring case, without dot files.
    fn accepted(&self) -> Vec<String>;
    /// The minions with cached data, in any order.
    fn cached(&self) -> Vec<String>;
    /// Cached data of one minion.
    fn data(&self, id: &str) -> Option<FleetData>;
    /// The option `nodegroups`.
    fn nodegroups(&self) -> &Map;
    /// The option `minion_data_cache`.
    fn minion_data_cache(&self) -> bool;
}

/// The answer to a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// The minions that match, in the order of accepted keys (of the list, for list targets).
    pub minions: Vec<String>,
    /// Names a list target asked for that are no accepted minions.
    pub missing: Vec<String>,
}

/// The minions that a target means.
///
/// `tgt_type` may be each of a publish, and `nodegroup`, `pillar_exact` and `compound_pillar_exact` (compound, with
/// pillar words compared exactly). `greedy` is for jobs; without it only minions with cached data are considered
/// (mine). Malformed targets and unknown types mean nobody.
pub fn check_minions(
    fleet: &dyn Fleet,
    tgt: &Value,
    tgt_type: &str,
    delimiter: &str,
    greedy: bool,
) -> Checked {
    let check = Check { fleet, greedy };
    let checked = match tgt_type {
        "list" => check.list(tgt),
        "compound" => compound::words(tgt).and_then(|words| check.compound(words, false)),
        "compound_pillar_exact" => compound::words(tgt).and_then(|words| check.compound(words, true)),
        _ => match tgt {
            Value::Str(text) => check.plain(text, tgt_type, delimiter),
            Value::Nil => check.plain("", tgt_type, delimiter),
            _ => None,
        },
    };
    checked.unwrap_or_default()
}

/// Whether all of `minions` are among those that the compound expression `valid` means.
pub fn validate_tgt(fleet: &dyn Fleet, valid: &str, minions: &[String]) -> bool {
    let allowed: BTreeSet<String> =
        check_minions(fleet, &valid.into(), "compound", DEFAULT_TARGET_DELIM, true)
            .minions
            .into_iter()
            .collect();
    minions.iter().all(|id| allowed.contains(id))
}

struct Check<'a> {
    fleet: &'a dyn Fleet,
    greedy: bool,
}

/// Which part of cached data is searched.
#[derive(Clone, Copy)]
enum Part {
    Grains,
    Pillar,
}

impl Check<'_> {
    fn plain(&self, text: &str, tgt_type: &str, delimiter: &str) -> Option<Checked> {
        let minions = match tgt_type {
            "glob" => self.accepted_that(|id| fnmatch(id, text)),
            "pcre" => {
                let regex = Regex::new(text, Anchor::Match).ok()?;
                self.accepted_that(|id| regex.is_match(id).unwrap_or(false))
            }
            "grain" => self.data_match(text, delimiter, Part::Grains, Compare::Glob),
            "grain_pcre" => self.data_match(text, delimiter, Part::Grains, Compare::Regex),
            "pillar" => self.data_match(text, delimiter, Part::Pillar, Compare::Glob),
            "pillar_pcre" => self.data_match(text, delimiter, Part::Pillar, Compare::Regex),
            "pillar_exact" => self.data_match(text, delimiter, Part::Pillar, Compare::Exact),
            "ipcidr" => self.ipcidr(text)?,
            "nodegroup" => return self.compound(nodegroup_comp(text, self.fleet.nodegroups()), false),
            "range" => {
                tracing::error!("range targets need a range server and are not supported: {text}");
                return None;
            }
            _ => return None,
        };
        Some(Checked { minions, missing: Vec::new() })
    }

    fn accepted_that(&self, hit: impl Fn(&str) -> bool) -> Vec<String> {
        self.fleet.accepted().into_iter().filter(|id| hit(id)).collect()
    }

    fn list(&self, tgt: &Value) -> Option<Checked> {
        let names: Vec<String> = match tgt {
            Value::Str(text) => text.split(',').filter(|n| !n.is_empty()).map(str::to_owned).collect(),
            Value::List(list) => list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
            _ => return None,
        };
        let accepted: BTreeSet<String> = self.fleet.accepted().into_iter().collect();
        let (minions, missing) = names.into_iter().partition(|name| accepted.contains(name));
        Some(Checked { minions, missing })
    }

    /// Those considered at all, in order: accepted keys, or when not greedy those with cached data.
    fn candidates(&self) -> Vec<String> {
        if self.greedy {
            self.fleet.accepted()
        } else if self.fleet.minion_data_cache() {
            let mut cached = self.fleet.cached();
            cached.sort();
            cached
        } else {
            Vec::new()
        }
    }

    /// A minion without cached data does not match, whether greedy or not.
    fn data_match(&self, expr: &str, delimiter: &str, part: Part, compare: Compare) -> Vec<String> {
        let mut ids = self.candidates();
        if self.fleet.minion_data_cache() {
            ids.retain(|id| {
                self.fleet.data(id).is_some_and(|data| {
                    let searched = match part {
                        Part::Grains => &data.grains,
                        Part::Pillar => &data.pillar,
                    };
                    searched
                        .as_map()
                        .is_some_and(|map| Search::new(compare).subdict_match(map, expr, delimiter))
                })
            });
        }
        ids
    }

    /// Unlike grains, an accepted minion without cached data stays in when greedy, as in stock.
    fn ipcidr(&self, text: &str) -> Option<Vec<String>> {
        let mut ids = self.candidates();
        if self.fleet.minion_data_cache() {
            let target = Ipcidr::parse(text)?;
            ids.retain(|id| match self.fleet.data(id) {
                Some(data) => data.grains.as_map().is_some_and(|grains| target.matches(grains)),
                None => self.greedy,
            });
        }
        Some(ids)
    }

    fn compound(&self, mut words: Vec<String>, pillar_exact: bool) -> Option<Checked> {
        let universe = Arc::new(self.fleet.accepted());
        if !self.fleet.minion_data_cache() {
            return Some(Checked { minions: universe.to_vec(), missing: Vec::new() });
        }
        let set = |ids: Vec<String>| Set { ids: ids.into_iter().collect(), universe: Arc::clone(&universe) };
        let mut tokens: Vec<Token<Set>> = Vec::new();
        let mut missing = Vec::new();
        let mut work = MAX_WORDS;
        words.reverse();
        while let Some(word) = words.pop() {
            work = work.checked_sub(1)?;
            if compound::push_operator(&mut tokens, &word)? {
                continue;
            }
            let word = Word::parse(&word);
            let (tgt_type, greedy) = match (word.engine, pillar_exact) {
                (None, _) => ("glob", true),
                (Some('G'), _) => ("grain", self.greedy),
                (Some('P'), _) => ("grain_pcre", self.greedy),
                (Some('I' | 'J'), true) => ("pillar_exact", self.greedy),
                (Some('I'), _) => ("pillar", self.greedy),
                (Some('J'), _) => ("pillar_pcre", self.greedy),
                (Some('S'), _) => ("ipcidr", self.greedy),
                (Some('E'), _) => ("pcre", self.greedy),
                (Some('L'), _) => {
                    let checked = self.list(&word.pattern.into())?;
                    // Names excluded by `not` are not asked for.
                    if !matches!(tokens.last(), Some(Token::Not)) {
                        missing.extend(checked.missing);
                    }
                    tokens.push(Token::Operand(set(checked.minions)));
                    continue;
                }
                (Some('N'), _) => {
                    words.extend(nodegroup_comp(word.pattern, self.fleet.nodegroups()).into_iter().rev());
                    continue;
                }
                // Range needs a server; `T@` and `M@` name resources of 3008.
                (Some(_), _) => return None,
            };
            let delimiter = word.delimiter.map_or_else(|| DEFAULT_TARGET_DELIM.to_owned(), |d| d.to_string());
            let checked = Check { fleet: self.fleet, greedy }.plain(word.pattern, tgt_type, &delimiter);
            // Stock: an invalid address is an empty set; an invalid regular expression spoils the whole target.
            let checked = match (checked, tgt_type) {
                (None, "ipcidr") => Checked::default(),
                (checked, _) => checked?,
            };
            tokens.push(Token::Operand(set(checked.minions)));
        }
        // Stock closes what is left open.
        let depth = tokens.iter().fold(0isize, |d, t| match t {
            Token::Open => d + 1,
            Token::Close => d - 1,
            _ => d,
        });
        tokens.extend((0..depth).map(|_| Token::Close));
        let result = compound::evaluate(tokens)?;
        let mut minions: Vec<String> =
            universe.iter().filter(|id| result.ids.contains(*id)).cloned().collect();
        let known: BTreeSet<&String> = universe.iter().collect();
        minions.extend(result.ids.iter().filter(|id| !known.contains(id)).cloned());
        Some(Checked { minions, missing })
    }
}

/// A set of minions within all accepted ones (and, when not greedy, cached ones beside them).
struct Set {
    ids: BTreeSet<String>,
    universe: Arc<Vec<String>>,
}

impl Algebra for Set {
    fn and(mut self, other: Self) -> Self {
        self.ids.retain(|id| other.ids.contains(id));
        self
    }
    fn or(mut self, other: Self) -> Self {
        self.ids.extend(other.ids);
        self
    }
    fn not(self) -> Self {
        let ids = self.universe.iter().filter(|id| !self.ids.contains(*id)).cloned().collect();
        Self { ids, universe: self.universe }
    }
}
