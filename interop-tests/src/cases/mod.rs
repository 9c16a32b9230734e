//! The cases, by subject. Each is a function over a running fleet; what it expects was first
//! seen on stock Salt, and every case is run stock against stock beside the pairs with ours.

pub mod args;
pub mod batch;
pub mod copy;
pub mod errors;
pub mod events;
pub mod hostile;
pub mod jobs;
pub mod keys;
pub mod mine;
pub mod restart;
pub mod returns;
pub mod rotation;
pub mod targets;
pub mod timing;

use crate::case;
use crate::table::Case;

/// Everything a pair of master and minion must do, in this order: the first case accepts the
/// keys the others need, the last ones stop and start the daemons.
pub const MATRIX: &[Case] = &[
    case!(keys::pending_then_accepted),
    case!(keys::fingerprints_agree),
    case!(args::every_type),
    case!(args::keywords),
    case!(args::no_parse),
    case!(returns::types),
    case!(returns::binary),
    case!(returns::eight_mebibytes),
    case!(errors::texts),
    case!(errors::retcodes),
    case!(errors::exit_codes),
    case!(errors::several_functions),
    case!(targets::by_name),
    case!(targets::by_pcre),
    case!(targets::by_grain),
    case!(targets::compound),
    case!(targets::list_with_missing),
    case!(targets::no_match),
    case!(jobs::running_find_term),
    case!(jobs::kill),
    case!(jobs::files_before_reply),
    case!(timing::long_job_is_found),
    case!(mine::send_get_delete),
    case!(mine::update),
    case!(events::job_events),
    case!(events::custom_tags),
    case!(events::events_of_states),
    case!(hostile::no_credentials),
    case!(hostile::old_versions),
    case!(hostile::names_that_are_paths),
    case!(hostile::keys_that_are_none),
    case!(hostile::requests_that_wedge_stock),
    case!(hostile::replayed_and_altered),
    case!(hostile::weaknesses_of_stock),
    case!(hostile::garbage),
    case!(keys::rejected_deleted_accepted),
    case!(keys::denied),
    case!(keys::wrong_master_key),
    case!(rotation::drop_file),
    case!(timing::absent_minion),
    case!(restart::minion),
    case!(restart::master),
];

/// What a command-line program must do on any master it can be used with.
pub const CLI: &[Case] = &[
    case!(keys::pending_then_accepted),
    case!(args::every_type),
    case!(args::keywords),
    case!(returns::types),
    case!(returns::eight_mebibytes),
    case!(errors::texts),
    case!(errors::exit_codes),
    case!(targets::by_name),
    case!(targets::list_with_missing),
    case!(targets::no_match),
    case!(batch::one_by_one),
    case!(batch::with_pauses),
    case!(batch::other_ways),
    case!(copy::whole),
    case!(copy::chunked),
    case!(timing::long_job_is_found),
    case!(timing::absent_minion),
];
