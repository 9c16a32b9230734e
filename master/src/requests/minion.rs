//! Encrypted commands of a proved minion: dispatch and reply. What each command does is in the files beside this one.

use std::net::SocketAddr;
use std::sync::Arc;

use brine_protocol::Value;
use brine_protocol::command::MinionCommand;
use brine_protocol::envelope::AesEnvelope;
use brine_protocol::ids::MinionId;
use brine_protocol::request::{self, Authenticated, MinionRequest, Proof};

use super::{LARGE, events, files, mine, now, peer as peers, pillar, returns, tops};
use crate::master::{Keys, Master};

/// What a handler wants sent.
pub(super) enum Answer {
    /// The ordinary encrypted reply.
    Value(Value),
    /// The private reply to `_pillar`.
    Private(Value),
    /// Nothing: the minion is to keep what it sent and try again.
    Silence,
}

impl<T: Into<Value>> From<T> for Answer {
    fn from(value: T) -> Self {
        Answer::Value(value.into())
    }
}

/// Answers a proved request, if with nothing (None); a refusal is an error.
pub(super) async fn answer(
    master: &Arc<Master>,
    peer: SocketAddr,
    envelope: &AesEnvelope,
) -> Result<Option<Value>, Value> {
    let open = || {
        let keys = Keys::new(master);
        let proved = request::prove(envelope, &keys, master.config.auth.request_ttl, now())?;
        let key = keys.mark(proved.minion());
        master.admit(proved, key, now())
    };
    let opened = if envelope.data.len() > LARGE { tokio::task::block_in_place(open) } else { open() };
    let mut request = match opened {
        Ok(request) => request,
        Err(e) => {
            let claimed = envelope.id.as_ref().map(MinionId::as_str);
            tracing::debug!(%peer, claimed, "request refused: {e}");
            return Err(e.reply());
        }
    };
    if request.proof != Proof::Anonymous {
        if master.presence.proved(&request.minion, peer.ip()) {
            master.alerts.presence(&request.minion);
        }
        master.vouch_for(peer.ip());
    }
    let load = std::mem::take(&mut request.load);
    let id = &request.minion;
    let answer = match request.command {
        None => Answer::Value(Value::Map(brine_protocol::Map::new())),
        Some(command) => dispatch(master, command, id, load).await,
    };
    Ok(encode(master, &request, answer))
}

async fn dispatch(
    master: &Arc<Master>,
    command: MinionCommand,
    id: &Authenticated<MinionId>,
    load: brine_protocol::Map,
) -> Answer {
    use MinionCommand as C;
    match command {
        C::VerifyMinion => Value::Bool(false).into(),
        C::Pillar => pillar::pillar(master, id, load).await,
        C::MasterOpts => pillar::master_opts(master, &load).into(),
        C::MasterTops => tops::answer(master, id).await.into(),
        C::FileEnvs
        | C::FileFind
        | C::FileHash
        | C::FileHashAndStat
        | C::ServeFile
        | C::FileList
        | C::FileListEmptydirs
        | C::DirList
        | C::SymlinkList
        | C::FileRecv => files::answer(master, command, id, load).await.into(),
        C::Mine => mine::store(master, id, load).into(),
        C::MineGet => mine::get(master, id, &load).into(),
        C::MineDelete => mine::delete(master, id, &load).into(),
        C::MineFlush => mine::flush(master, id).into(),
        C::MinionRunner => peers::runner(master, id, &load).await.into(),
        C::MinionPub => peers::publish(master, id, load).await.into(),
        C::MinionPublish => peers::publish_and_wait(master, id, load).await.into(),
        C::PubRet => peers::pub_ret(master, id, &load).await.into(),
        C::RevokeAuth => peers::revoke(master, id, load).into(),
        C::MinionEvent => events::fire(master, id, &load).into(),
        C::Return => returns::store(master, id, load).await,
        // Nobody is configured to speak for others yet, so nobody may.
        C::SyndicReturn => {
            tracing::warn!("{} sent returns of other minions and is no syndic", id.as_str());
            Value::Nil.into()
        }
        C::RegisterResources => {
            let data = brine_protocol::map! {"id" => &**id};
            master.events.fire(format!("resource/refresh/{}", id.as_str()), data);
            true.into()
        }
    }
}

fn encode(master: &Master, request: &MinionRequest, answer: Answer) -> Option<Value> {
    let reply = match answer {
        Answer::Silence => return None,
        Answer::Value(value) => request.reply(&value),
        Answer::Private(pillar) => {
            use brine_protocol::request::RequestKeys;
            match Keys::new(master).accepted(&request.minion) {
                // The key is gone between the check and here; stock's words.
                None => return Some(brine_protocol::map! {"error" => "AES key not found"}.into()),
                Some(key) => request.private_reply(pillar, &key, master.credentials.read().key()),
            }
        }
    };
    match reply {
        Ok(value) => Some(value),
        Err(e) => {
            tracing::error!("cannot answer {}: {e}", request.minion.as_str());
            Some(brine_protocol::envelope::REPLY_FAILED.into())
        }
    }
}
